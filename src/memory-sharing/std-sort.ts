/**
 * `std::sort` of the GNU C++ library, element for element: introsort (median of three, runs of 16 left to a final
 * insertion sort, heap sort below a depth limit). It is not stable, and which of two equal elements comes first decides
 * who shares memory in CNTK's list. `before(a, b)` is the strict order.
 * Source: libstdc++, bits/stl_algo.h and bits/stl_heap.h.
 */
export function stdSort<T>(items: T[], before: (a: T, b: T) => boolean): void {
  new Sorter(items, before).sort();
}

const threshold = 16;

class Sorter<T> {
  constructor(
    private readonly items: T[],
    private readonly before: (a: T, b: T) => boolean,
  ) {}

  sort(): void {
    const { length } = this.items;
    if (length === 0) return;
    this.introsort(0, length, 2 * Math.floor(Math.log2(length)));
    for (let i = 1; i < Math.min(length, threshold); i++) this.guardedInsert(i);
    for (let i = threshold; i < length; i++) this.insert(i);
  }

  private at(index: number): T {
    return this.items[index] as T;
  }

  private isBefore(a: number, b: number): boolean {
    return this.before(this.at(a), this.at(b));
  }

  private swap(a: number, b: number): void {
    const kept = this.at(a);
    this.items[a] = this.at(b);
    this.items[b] = kept;
  }

  private introsort(first: number, end: number, depth: number): void {
    let last = end;
    for (let left = depth; last - first > threshold; left--) {
      if (left === 0) {
        this.heapSort(first, last);
        return;
      }
      const cut = this.partition(first, last);
      this.introsort(cut, last, left - 1);
      last = cut;
    }
  }

  /** Hoare's partition around the median of three, which is put first. */
  private partition(first: number, last: number): number {
    this.medianToFirst(first, first + 1, first + Math.floor((last - first) / 2), last - 1);
    const pivot = this.at(first);
    let low = first + 1;
    let high = last;
    for (;;) {
      while (this.before(this.at(low), pivot)) low++;
      high--;
      while (this.before(pivot, this.at(high))) high--;
      if (low >= high) return low;
      this.swap(low, high);
      low++;
    }
  }

  private medianToFirst(result: number, a: number, b: number, c: number): void {
    let median: number;
    if (this.isBefore(a, b)) median = this.isBefore(b, c) ? b : this.isBefore(a, c) ? c : a;
    else median = this.isBefore(a, c) ? a : this.isBefore(b, c) ? c : b;
    this.swap(result, median);
  }

  /** Insertion within the first run: may go to the very front. */
  private guardedInsert(index: number): void {
    const value = this.at(index);
    if (this.before(value, this.at(0))) {
      this.items.copyWithin(1, 0, index);
      this.items[0] = value;
    } else {
      this.insert(index);
    }
  }

  private insert(index: number): void {
    const value = this.at(index);
    let to = index;
    while (this.before(value, this.at(to - 1))) {
      this.items[to] = this.at(to - 1);
      to--;
    }
    this.items[to] = value;
  }

  private heapSort(first: number, last: number): void {
    const length = last - first;
    for (let parent = Math.floor((length - 2) / 2); parent >= 0; parent--) {
      this.siftDown(first, parent, length, this.at(first + parent));
    }
    for (let end = last - 1; end > first; end--) {
      const value = this.at(end);
      this.items[end] = this.at(first);
      this.siftDown(first, 0, end - first, value);
    }
  }

  /** Moves the hole to a leaf along the larger children, then the value up from there (`__adjust_heap`). */
  private siftDown(first: number, top: number, length: number, value: T): void {
    let hole = top;
    let child = hole;
    while (child < Math.floor((length - 1) / 2)) {
      child = 2 * (child + 1);
      if (this.isBefore(first + child, first + child - 1)) child--;
      this.items[first + hole] = this.at(first + child);
      hole = child;
    }
    if (length % 2 === 0 && child === (length - 2) / 2) {
      child = 2 * child + 1;
      this.items[first + hole] = this.at(first + child);
      hole = child;
    }
    for (let parent = Math.floor((hole - 1) / 2); hole > top; parent = Math.floor((hole - 1) / 2)) {
      if (!this.before(this.at(first + parent), value)) break;
      this.items[first + hole] = this.at(first + parent);
      hole = parent;
    }
    this.items[first + hole] = value;
  }
}
