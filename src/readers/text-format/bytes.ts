/** Bytes that mean something in a text file. */
export const newline = 10;
export const plus = 43;
export const minus = 45;
export const dot = 46;
export const upperE = 69;
export const lowerE = 101;
export const pipe = 124;
