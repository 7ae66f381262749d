import { CntkError } from "../diagnostics/diagnostic.js";
import { simulateMemory } from "../memory-sharing/index.js";
import { columnCount, type Minibatch, splitMinibatch } from "../minibatch/index.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";

interface Trained {
  readonly shaped: ShapedNetwork;
  /** Criterion first, then the evaluation nodes. */
  readonly watched: readonly NetworkNode[];
  readonly parameters: readonly { readonly node: NetworkNode }[];
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Minibatches in pieces at a rate so small that nothing is propagated back, as in the first trial of `searchBeforeEpoch`:
 * CNTK adds up the gradients of the pieces all the same. They are matrices that forward passes have used meanwhile, or that
 * nothing has given a size yet, and the sum fails (SGDLib/DataReaderHelpers.h, DoneWithCurrentSubMinibatch).
 */
export class UncomputedGradients {
  private wereComputed = false;
  /** For each trained parameter, the node whose value was last written to the matrix of its gradient. */
  private lastWriters: ReadonlyMap<NetworkNode, NetworkNode | undefined> | undefined;

  constructor(private readonly trained: Trained) {}

  /** Throws CntkError `uncomputed-gradients` where CNTK fails; `computes`: does this minibatch have gradients? */
  refuse(minibatch: Minibatch, pieces: number, computes: boolean): void {
    if (computes) {
      this.wereComputed = true;
      return;
    }
    if (pieces <= 1 || minibatch.columns === 0) return;
    const [piece, ...others] = splitMinibatch(minibatch, pieces);
    if (!piece || others.length === 0) return;
    for (const [parameter, writer] of this.writers()) {
      if (writer ? !addsTo(this.size(writer, piece), this.size(parameter)) : !this.wereComputed)
        throw uncomputed(parameter);
    }
  }

  private writers(): ReadonlyMap<NetworkNode, NetworkNode | undefined> {
    this.lastWriters ??= this.findWriters();
    return this.lastWriters;
  }

  private findWriters(): ReadonlyMap<NetworkNode, NetworkNode | undefined> {
    const { shaped, watched, parameters } = this.trained;
    const [criterion, ...evaluated] = watched;
    const { valueOf, gradientOf } = simulateMemory(shaped, { evaluated, ...(criterion && { criterion }) });
    const order = restrictOrder(shaped.order, watched);
    return new Map(
      parameters.map(({ node }) => {
        const matrix = gradientOf(node);
        return [node, order.findLast((other) => other !== node && valueOf(other) === matrix)];
      }),
    );
  }

  private size(node: NetworkNode, piece?: Minibatch): Size {
    const { shape = [], dynamicAxis = null } = this.trained.shaped.facts.get(node) ?? {};
    const elements = elementCount(shape);
    if (dynamicAxis && piece) return { rows: elements, columns: widest(piece) };
    const rows = shape[0] ?? 1;
    return { rows, columns: elements / rows };
  }
}

function widest({ streams }: Minibatch): number {
  return Math.max(0, ...[...streams.values()].map(({ layout }) => columnCount(layout)));
}

/** Can a matrix be added to one of another size? Vectors and scalars spread (CPUMatrixImpl.h, ScaleAndAdd). */
function addsTo(added: Size, sum: Size): boolean {
  const { rows, columns } = added;
  if (rows === 1 && columns === 1) return true;
  if (columns === 1) return rows === sum.rows;
  if (rows === 1) return columns === sum.columns;
  return rows === sum.rows && columns === sum.columns;
}

function uncomputed({ name }: NetworkNode): CntkError {
  return new CntkError({
    code: "uncomputed-gradients",
    message: `Minibatches are taken apart, but at this rate there is no gradient of '${name}' to add up.`,
    hint: "searchBeforeEpoch begins with a trial at the rate 0: leave out numSubminibatches and maxSamplesInRAM",
  });
}
