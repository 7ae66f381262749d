import type { Picture } from "./picture.js";

/** One step between a picture as it was decoded and the numbers of a sample. Steps with random numbers draw in the order of calls. */
export interface Transform {
  /** May take over the memory of the picture. `copy`: which of the copies of a picture this is, for views of several places. */
  apply(picture: Picture, copy: number): Picture;
  /** The size of what comes out, where it does not depend on the picture. */
  readonly size?: { readonly width: number; readonly height: number; readonly channels: number };
}
