import { CntkError } from "../../diagnostics/diagnostic.js";
import type { LogSink } from "../../log/log.js";
import { formatFixed } from "../../numerics/number-format.js";
import type { LabelledUtterance } from "./mlf-file.js";

/** A line of a script, as the log counts it. */
export interface ListedUtterance {
  readonly name: string;
  /** With its extension. */
  readonly path: string;
  readonly frames: number;
}

/** Labels of so many utterances at most are read by name. */
const mostRestricted = 100;
/** So many utterances without labels are named. */
const mostNamed = 5;
/** A chunk is full when it has more frames than this: 15 minutes. */
const chunkFrames = 90000;

/** What the log says of the scripts, the label files and the utterances in both, in the words of CNTK's older reader of speech. */
export class OlderSpeechLog {
  private readonly scripts: (readonly ListedUtterance[])[] = [];
  private readonly labels: (readonly LabelledUtterance[])[] = [];
  private readonly dimensions: number[] = [];

  constructor(
    private readonly log: LogSink,
    /** All features are read at once, and told of so. */
    readonly readsAllAtOnce: boolean,
  ) {}

  /** Classes of the labels that were read last. */
  limitClasses(dimension: number): void {
    this.dimensions.push(dimension);
  }

  scriptBegins(path: string): void {
    this.log.write(`reading script file ${path} ...`);
  }

  scriptRead(utterances: readonly ListedUtterance[]): void {
    this.scripts.push(utterances);
    this.log.write(` ${utterances.length} entries\n`);
  }

  /** What the files of a stream hold; it is known, and told of, when the first frames are read. */
  kindFound(dimension: number, kind: string, period: number): void {
    if (this.readsAllAtOnce) return;
    const shift = formatFixed(period / 1e4, 1);
    this.log.write(
      `requiredata: determined feature kind as ${dimension}-dimensional '${kind}' with frame shift ${shift} ms\n`,
    );
  }

  statesRead(path: string, count: number): void {
    this.log.write(`total ${count} state names in state list ${path}\n`);
  }

  /** Label files one after the other, until there are labels for all utterances; returns those as long as their utterance. */
  readLabels(
    paths: readonly string[],
    read: (path: string, wants: (name: string) => boolean) => readonly LabelledUtterance[],
  ): LabelledUtterance[] {
    const wanted = this.wantedNames();
    const found = new Set<string>();
    const labels: LabelledUtterance[] = [];
    for (const path of paths) {
      if (wanted && found.size >= wanted.size) break;
      this.log.write(`htkmlfreader: reading MLF file ${path} ...`);
      labels.push(...read(path, (name) => isWanted(name, found, wanted)));
      this.log.write(` total ${found.size} entries\n`);
    }
    this.labels.push(labels);
    const [first = []] = this.scripts;
    const lengths = new Map(first.map(({ name, frames }) => [name, frames]));
    return labels.filter(({ name, starts }) => (lengths.get(name) ?? starts.at(-1)) === starts.at(-1));
  }

  private wantedNames(): ReadonlySet<string> | undefined {
    const [first = []] = this.scripts;
    return first.length <= mostRestricted ? new Set(first.map(({ name }) => name)) : undefined;
  }

  /** All scripts and label files are read: what they hold together. */
  allRead(): void {
    const [first = []] = this.scripts;
    const labels = this.labels.map((list) => new Map(list.map((utterance) => [utterance.name, utterance])));
    const lacking = lackingLabels(first, labels);
    this.requireFitting(first, labels, lacking);
    const kept = first.filter((_, i) => !lacking.has(i));
    const frames = kept.reduce((sum, utterance) => sum + utterance.frames, 0);
    const classes = labels.map((of) => classCount(kept.map(({ name }) => of.get(name)?.classes ?? [])));
    const counts = { frames, kept: kept.length, lacking: lacking.size };
    if (this.readsAllAtOnce) this.tellAtOnce(lacking, classes, counts);
    else this.tellChunks(lacking, classes, { ...counts, chunks: chunkCount(kept) });
  }

  /**
   * The first utterance whose labels cannot be used ends the run, where CNTK has told of those before it.
   * Source: Source/Readers/HTKMLFReader/utterancesourcemulti.h.
   */
  private requireFitting(
    utterances: readonly ListedUtterance[],
    labels: readonly ReadonlyMap<string, LabelledUtterance>[],
    lacking: ReadonlyMap<number, string>,
  ): void {
    utterances.forEach(({ name }, i) => {
      if (lacking.has(i)) return;
      labels.forEach((of, set) => {
        const message = unfitting(of.get(name), this.dimensions[set] ?? Infinity);
        if (message === undefined) return;
        if (!this.readsAllAtOnce) this.log.write(progress(utterances.length, lacking, i + 1));
        throw new CntkError({ code: "htk-labels", message, hint: `in the utterance '${name}'` });
      });
    });
  }

  private tellChunks(
    lacking: ReadonlyMap<number, string>,
    classes: readonly number[],
    counts: {
      readonly frames: number;
      readonly kept: number;
      readonly lacking: number;
      readonly chunks: number;
    },
  ): void {
    const { frames, kept, chunks } = counts;
    this.scripts.forEach((script, i) => {
      const told = i === 0 ? lacking : new Map<number, string>();
      this.log.write(
        `${progress(script.length, told)}feature set ${i}: ${frames} frames in ${kept} out of ${script.length} utterances\n`,
      );
      if (counts.lacking > 0) {
        this.log.write(
          `minibatchutterancesource: out of ${script.length} files, ${counts.lacking} files not found in label set and 0 have no lattice\n`,
        );
      }
      if (i === 0) classes.forEach((count, set) => this.log.write(`label set ${set}: ${count} classes\n`));
      this.log.write(
        `minibatchutterancesource: ${kept} utterances grouped into ${chunks} chunks, av. chunk size: ` +
          `${formatFixed(kept / chunks, 1)} utterances, ${formatFixed(frames / chunks, 1)} frames\n`,
      );
    });
  }

  private tellAtOnce(
    lacking: ReadonlyMap<number, string>,
    classes: readonly number[],
    counts: { readonly frames: number; readonly lacking: number },
  ): void {
    const source = "minibatchframesourcemulti:";
    this.log.write(
      `${source} reading ${this.scripts.length} feature sets and ${classes.length} label sets...`,
    );
    this.scripts.forEach((script, i) => {
      this.log.write(progress(script.length, new Map()));
      if (i === 0) {
        classes.forEach((count, set) =>
          this.log.write(`\n${source} read label set ${set}: ${count} classes\n`),
        );
      }
      this.log.write(
        `\n${source} feature set ${i}: ${counts.frames} frames read from ${script.length} utterances\n`,
      );
      if (counts.lacking === 0) return;
      this.log.write(`${source} ${counts.lacking} files out of ${script.length} not found in label set\n`);
    });
  }

  /** An epoch begins: which samples it takes, counted from the start of the training, and where the first utterance starts. */
  epochBegins(
    epoch: number,
    range: { readonly first: number; readonly end: number; readonly start: number },
    share: { readonly rank: number; readonly workers: number },
  ): void {
    this.log.write(
      `minibatchiterator: epoch ${epoch}: frames [${range.first}..${range.end}] (first utterance at frame ${range.start}), ` +
        `data subset ${share.rank} of ${share.workers}, with 1 datapasses\n`,
    );
  }

  /** A minibatch of whole files, the `index`th of each script. */
  filesRead(index: number): void {
    for (const script of this.scripts) {
      const { path, frames } = script[index] ?? { path: "", frames: 0 };
      this.log.write(`evaluate: reading ${frames} frames of ${path}\n`);
    }
  }
}

/** Are these labels asked for? They are `found` then. */
function isWanted(name: string, found: Set<string>, wanted: ReadonlySet<string> | undefined): boolean {
  if (wanted && (found.size >= wanted.size || !wanted.has(name))) return false;
  if (found.has(name)) {
    throw new CntkError({ code: "htk-labels", message: `htkmlfreader: duplicate entry '${name}'` });
  }
  found.add(name);
  return true;
}

/** Utterances that are left out because labels are missing or of another length, by their place, and what the log says of them. */
function lackingLabels(
  utterances: readonly ListedUtterance[],
  labels: readonly ReadonlyMap<string, LabelledUtterance>[],
): ReadonlyMap<number, string> {
  const lacking = new Map<number, string>();
  const [first] = labels;
  if (!first) return lacking;
  utterances.forEach(({ name, frames }, i) => {
    if (!first.has(name)) {
      lacking.set(i, lacking.size < mostNamed ? ` [no labels for  ${name}]` : "");
      return;
    }
    const lengths = labels.map((of) => of.get(name)?.starts.at(-1) ?? 0);
    const other = lengths.find((length) => length !== frames);
    if (other === undefined) return;
    lacking.set(i, ` [duration mismatch (${other} in label vs. ${frames} in feat file), skipping ${name}]`);
  });
  return lacking;
}

function unfitting(labels: LabelledUtterance | undefined, dimension: number): string | undefined {
  const wrong = labels?.classes.find((label) => label >= dimension);
  return wrong === undefined
    ? labels?.problem
    : `Class id '${wrong}' exceeds the model output dimension '${dimension}'.`;
}

/** A dot for every hundredth part of the utterances up to `end`, and what is to be said of single ones. */
function progress(count: number, told: ReadonlyMap<number, string>, end = count): string {
  const step = Math.floor(count / 100) + 1;
  let text = "";
  for (let i = 0; i < end; i++) text += (i % step === 0 ? "." : "") + (told.get(i) ?? "");
  return text;
}

function classCount(lists: readonly (readonly number[])[]): number {
  return lists.reduce((most, classes) => classes.reduce((max, label) => Math.max(max, label + 1), most), 0);
}

function chunkCount(utterances: readonly ListedUtterance[]): number {
  let chunks = 0;
  let frames = Infinity;
  for (const utterance of utterances) {
    if (frames > chunkFrames) {
      chunks++;
      frames = 0;
    }
    frames += utterance.frames;
  }
  return chunks;
}
