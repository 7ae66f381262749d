import { describe, expect, it, test } from "vitest";
import { printInteger, printReal, printText, printUnsigned, readFormat } from "../../src/numerics/printf.js";

const conversion = (text: string, letter: "f" | "d" | "u" | "s" = "f") => {
  const read = readFormat(text, letter);
  if (!read) throw new Error(`${text} is no conversion`);
  return read;
};

// All expected texts are what glibc's printf writes.
test.each([
  ["", 1234.5678, "1234.567800"],
  ["10.3", -0.25, "    -0.250"],
  ["-12.", 1234.5678, "1235        "],
  ["-8.2", Infinity, "inf     "],
  ["+", 0, "+0.000000"],
  ["06.1", -0.25, "-000.2"],
  ["06.1", Infinity, "   inf"],
  ["#.0", 2.5, "2."],
  [" ", 1.5, " 1.500000"],
  ["+08.2", 2.5, "+0002.50"],
  ["+08.2", Infinity, "    +inf"],
  ["04.0", 3, "0003"],
])("%%%sf of %d", (how, value, text) => {
  expect(printReal(value, conversion(how))).toBe(text);
});

test.each([
  ["", "12", "yes"],
  ["5", "   12", "  yes"],
  ["05", "00012", "  yes"],
  ["-5", "12   ", "yes  "],
  [".2", "12", "ye"],
  ["05.3", "  012", "  yes"],
  ["+", "12", "yes"],
])("%%%su of 12 and %%s of yes", (how, number, text) => {
  expect(printUnsigned(12, conversion(how, "u"))).toBe(number);
  expect(printText("yes", conversion(how, "s"))).toBe(text);
});

describe("%d", () => {
  it("has a sign where flags ask for one, and no digit of zero where none is asked for", () => {
    expect(printInteger(7, conversion(" ", "d"))).toBe(" 7");
    expect(printInteger(-7, conversion("+", "d"))).toBe("-7");
    expect(printInteger(0, conversion("5.0", "d"))).toBe("     ");
  });
});

// Written by glibc's printf for `%`, the text, and d.
test.each([
  ["x", 255, "ffd"],
  ["#06X", 255, "0X00FFd"],
  ["x", -1, "ffffffffd"],
  ["o", 8, "10d"],
  ["+u", 7, "7d"],
  ["5i|", 7, "    7|d"],
  ["'", 7, "7"],
])("%%%sd of %d in full", (how, value, text) => {
  expect(printInteger(value, conversion(how, "d"))).toBe(text);
});

// Written by glibc's printf for `%`, the text, and the letter.
test.each([
  [".3e", 1234.5, "1.234e+03f"],
  ["+.4g", 1234.5, "+1234f"],
  ["E", 1234.5, "1.234500E+03f"],
  ["012.2e m%%", -1234.5, "-0001.23e+03 m%f"],
  ["%.3f", 1234.5, "%.3ff"],
  [".2l", 1234.5, "1234.50"],
])("%%%sf of %d in full", (how, value, text) => {
  const read = readFormat(how, "f");
  expect(read && printReal(value, read)).toBe(text);
});

test("an index has a conversion of its own, and what would be left to chance is not read", () => {
  const read = (how: string, letter: "f" | "u" | "s") => {
    const found = readFormat(how, letter);
    if (!found) throw new Error(`${how} is no format`);
    return found;
  };
  expect(printUnsigned(5, read("-8d", "u"))).toBe("5       u");
  expect(printText("yes", read("4", "s"))).toBe(" yes");
  for (const how of ["d", ".3f %", "s", "n", ".3e%f", "x", "1.2.3", "-.-"])
    expect(readFormat(how, "f")).toBeUndefined();
});
