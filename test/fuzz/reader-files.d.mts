export interface DataSet {
  readonly name: string;
  readonly section: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}
export const dataSets: readonly DataSet[];
