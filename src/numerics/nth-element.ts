/*
 * Partial sorting as the C++ standard library of GNU does it (std::nth_element). Which of several equal elements come first
 * depends on every swap, so each is made as there.
 */

/** Does the element a come before b? */
export type Before = (a: number, b: number) => boolean;

/**
 * Rearranges the elements so that the `count` first ones come before (or are equal to) all others; nothing happens where all are asked
 * for. Elements are numbers that `before` knows how to compare.
 */
export function nthElement(elements: Int32Array, count: number, before: Before): void {
  let [first, last] = [0, elements.length];
  if (first === last || count === last) return;
  let turns = 2 * Math.floor(Math.log2(last));
  while (last - first > 3) {
    if (turns === 0) {
      heapSelect(elements.subarray(first, last), count + 1 - first, before);
      swap(elements, first, count);
      return;
    }
    turns--;
    const cut = partitioned(elements, first, last, before);
    if (cut <= count) first = cut;
    else last = cut;
  }
  insertionSort(elements, first, last, before);
}

function swap(elements: Int32Array, a: number, b: number): void {
  const element = elements[a]!;
  elements[a] = elements[b]!;
  elements[b] = element;
}

/** Parts the elements at the median of the second, the middle and the last one; returns where the upper part begins. */
function partitioned(elements: Int32Array, first: number, last: number, before: Before): number {
  const middle = first + Math.floor((last - first) / 2);
  swap(elements, first, medianOf(elements, first + 1, middle, last - 1, before));
  const pivot = elements[first]!;
  let [low, high] = [first + 1, last];
  for (;;) {
    while (low < last && before(elements[low]!, pivot)) low++;
    high--;
    while (high > first && before(pivot, elements[high]!)) high--;
    if (low >= high) return low;
    swap(elements, low, high);
    low++;
  }
}

/** The place of the median of three. */
function medianOf(elements: Int32Array, a: number, b: number, c: number, before: Before): number {
  const [x, y, z] = [elements[a]!, elements[b]!, elements[c]!];
  if (before(x, y)) return before(y, z) ? b : before(x, z) ? c : a;
  return before(x, z) ? a : before(y, z) ? c : b;
}

function insertionSort(elements: Int32Array, first: number, last: number, before: Before): void {
  for (let at = first + 1; at < last; at++) {
    const element = elements[at]!;
    let to = at;
    if (before(element, elements[first]!)) to = first;
    else while (to > first && before(element, elements[to - 1]!)) to--;
    elements.copyWithin(to + 1, to, at);
    elements[to] = element;
  }
}

/** The first `count` elements become a heap of those that come first, its last one on top. */
function heapSelect(elements: Int32Array, count: number, before: Before): void {
  for (let parent = Math.floor((count - 2) / 2); parent >= 0; parent--) {
    sink(elements, parent, count, elements[parent]!, before);
  }
  for (let at = count; at < elements.length; at++) {
    const element = elements[at]!;
    if (!before(element, elements[0]!)) continue;
    elements[at] = elements[0]!;
    sink(elements, 0, count, element, before);
  }
}

/** Lets the hole sink to the bottom of the heap of `size`, then an element rise from there. */
function sink(elements: Int32Array, top: number, size: number, element: number, before: Before): void {
  let hole = top;
  let child = hole;
  while (child < Math.floor((size - 1) / 2)) {
    child = 2 * (child + 1);
    if (before(elements[child]!, elements[child - 1]!)) child--;
    elements[hole] = elements[child]!;
    hole = child;
  }
  if (size % 2 === 0 && child === Math.floor((size - 2) / 2)) {
    child = 2 * child + 1;
    elements[hole] = elements[child]!;
    hole = child;
  }
  for (let parent = Math.floor((hole - 1) / 2); hole > top && before(elements[parent]!, element);) {
    elements[hole] = elements[parent]!;
    hole = parent;
    parent = Math.floor((hole - 1) / 2);
  }
  elements[hole] = element;
}
