/** Memory that grows and is kept from run to run. */
export class Scratch {
  private values = new Float64Array(0);

  /** At least `size` doubles of any content. */
  ofSize(size: number): Float64Array {
    if (this.values.length < size) this.values = new Float64Array(size);
    return this.values;
  }
}
