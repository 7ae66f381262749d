/**
 * Hands out the numbers that depend on construction order: random seeds and node numbers. CNTK keeps both as process-wide
 * counters that no action resets, so one counter belongs to one run, not to one network (`InputAndParamNodes.cpp`).
 */
export class SeedCounter {
  private nextSeed = 1;
  private nextNode = 0;
  /** Names that CNTK makes up and seeds of random nodes come from one counter (ComputationNode.h, CreateUniqId). */
  private nextUnique = 1;
  private nextScriptSeed = 1;
  private nextScriptName = 1;

  /** `forceConstant` is the configuration's `forceConstantRandomSeed`: every seed is 1, yet all are counted. */
  constructor(private readonly forceConstant = false) {}

  /** The seed of the next randomly initialized parameter: 1, 2, 3, … */
  drawSeed(): number {
    return this.seedFor(this.nextSeed++);
  }

  /** The seed that a parameter with a seed of its own really begins with (InputAndParamNodes.cpp, LazyInitParameters). */
  seedFor(given: number): number {
    return this.forceConstant ? 1 : given;
  }

  /** The number CNTK gives a node when it is constructed; it shows in few messages (duplicate names, copied functions). */
  drawNodeNumber(): number {
    return this.nextNode++;
  }

  /** The seed with which a random node is constructed: training and model files give it others (TrainingNodes.h, RngUser). */
  drawEngineSeed(): number {
    return this.nextUnique++;
  }

  /** What a random node is constructed with. */
  drawEngine(): { readonly seed: number; readonly offset: number } {
    return { seed: this.drawEngineSeed(), offset: 0 };
  }

  /** Numbers that go to what CNTK makes for itself while it compiles a network. */
  skipNodeNumbers(count: number): void {
    this.nextNode += count;
  }

  /** The name of a node that its builder leaves unnamed: AutoName1, AutoName2, …, each Dropout between them counted too. */
  drawNodeName(): string {
    return `AutoName${this.nextUnique++}`;
  }

  /**
   * The seed of the next random parameter of the old network description language, which has a counter of its own; `offset`
   * is that description's `randomSeedOffset`, `given` a seed that the parameter brings along (NDLNetworkBuilder.cpp).
   */
  drawScriptSeed(offset: number, given?: number): number {
    return this.seedFor((given ?? this.nextScriptSeed++) + offset);
  }

  /** The name of what that language leaves unnamed: unnamed1, unnamed2, … (NetworkDescriptionLanguage.h, GenerateName). */
  drawScriptName(): string {
    return `unnamed${this.nextScriptName++}`;
  }
}
