import type { KernelTable } from "../host/kernel.js";
import { referenceKernels } from "../reference/index.js";
import { compileConnectionistTemporal } from "./connectionist-temporal.js";
import {
  compileConvolution,
  compileConvolutionInputGradient,
  compileConvolutionWeightGradient,
} from "./convolution.js";
import { compileDropoutMask } from "./dropout.js";
import { compileEditDistance } from "./edit-distance.js";
import { compileMap } from "./map.js";
import { compileMatmul } from "./matmul.js";
import {
  compileConcatenate,
  compileCopy,
  compileIota,
  compilePad,
  compileSlice,
  compileTranspose,
} from "./movement.js";
import {
  compileCount,
  compileGather,
  compilePackIndex,
  compileReconcile,
  compileReconcileGradient,
  compileRotateColumns,
  compileScatter,
  compileSpreadSequence,
  compileSumSequence,
  compileWhere,
} from "./packed.js";
import { compileMaxUnpool, compilePool, compilePoolGradient } from "./pool.js";
import { compileOutsideTop } from "./outside-top.js";
import { compileRanking } from "./ranking.js";
import { compileReduce } from "./reduce.js";
import { compileRegionPool, compileRegionPoolGradient } from "./region-pool.js";
import { compileShift, compileShiftInitialGradient } from "./shift.js";
import {
  compileAddTouched,
  compileMapTouched,
  compilePutTouched,
  compileReduceTouched,
  compileToDense,
} from "./sparse.js";

/** Generated and blocked kernels; a kind that has none runs as `reference` has it. */
export const javascriptKernels: KernelTable = {
  ...referenceKernels,
  map: compileMap,
  reduce: compileReduce,
  copy: compileCopy,
  transpose: compileTranspose,
  slice: compileSlice,
  pad: compilePad,
  concatenate: compileConcatenate,
  iota: compileIota,
  matmul: compileMatmul,
  convolution: compileConvolution,
  convolutionInputGradient: compileConvolutionInputGradient,
  convolutionWeightGradient: compileConvolutionWeightGradient,
  pool: compilePool,
  poolGradient: compilePoolGradient,
  maxUnpool: compileMaxUnpool,
  regionPool: compileRegionPool,
  regionPoolGradient: compileRegionPoolGradient,
  dropoutMask: compileDropoutMask,
  count: compileCount,
  shift: compileShift,
  shiftInitialGradient: compileShiftInitialGradient,
  where: compileWhere,
  packIndex: compilePackIndex,
  gather: compileGather,
  scatter: compileScatter,
  reconcile: compileReconcile,
  reconcileGradient: compileReconcileGradient,
  sumSequence: compileSumSequence,
  spreadSequence: compileSpreadSequence,
  rotateColumns: compileRotateColumns,
  toDense: compileToDense,
  mapTouched: compileMapTouched,
  addTouched: compileAddTouched,
  putTouched: compilePutTouched,
  reduceTouched: compileReduceTouched,
  connectionistTemporal: compileConnectionistTemporal,
  editDistance: compileEditDistance,
  outsideTop: compileOutsideTop,
  ranking: compileRanking,
};
