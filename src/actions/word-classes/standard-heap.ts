/**
 * The order in which a `std::priority_queue` of GNU's library gives out what it was made of: the largest first, equal ones in
 * an order that follows from how the heap is built.
 */
export function* heapOrder<T>(
  items: readonly T[],
  isLess: (a: T, b: T) => boolean,
): Generator<T, void, undefined> {
  const heap = [...items];
  let length = heap.length;
  const at = (index: number): T => {
    const item = heap[index];
    if (item === undefined) throw new RangeError("beyond the heap");
    return item;
  };

  /** Puts `value` below or at `top`, where a hole is. */
  const sift = (top: number, value: T): void => {
    let hole = top;
    let child = top;
    while (child < Math.floor((length - 1) / 2)) {
      child = 2 * (child + 1);
      if (isLess(at(child), at(child - 1))) child--;
      heap[hole] = at(child);
      hole = child;
    }
    if (length % 2 === 0 && child === (length - 2) / 2) {
      child = 2 * child + 1;
      heap[hole] = at(child);
      hole = child;
    }
    while (hole > top) {
      const parent = Math.floor((hole - 1) / 2);
      if (!isLess(at(parent), value)) break;
      heap[hole] = at(parent);
      hole = parent;
    }
    heap[hole] = value;
  };

  for (let parent = Math.floor((length - 2) / 2); parent >= 0; parent--) sift(parent, at(parent));
  while (length > 0) {
    yield at(0);
    length--;
    if (length > 0) sift(0, at(length));
  }
}
