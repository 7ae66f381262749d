/**
 * Conformance cases of BrainScript, observed on CNTK's own parser and evaluator. `P(e)` stands for `do = Print(e)`.
 * `error` is the message, or its beginning where it ends in an ellipsis.
 */
export interface LanguageCase {
  readonly name: string;
  readonly program: string;
  readonly printed?: string;
  readonly error?: string;
  /** Needs computation nodes, which the language alone does not have: `program` is a network's record. */
  readonly network?: true;
  /** Nodes of the network, by name. */
  readonly nodes?: readonly string[];
}

function prints(name: string, program: string, printed: string): LanguageCase {
  return { name, program, printed };
}

function fails(name: string, program: string, error: string): LanguageCase {
  return { name, program, error };
}

export const languageCases: readonly LanguageCase[] = [
  prints("1a", "P(1+2*3)", "7"),
  prints("1b", "P(2*3**2)", "36"),
  prints("2", "P(-2**2)", "4"),
  prints("3", "P(if 1>2 then 1 else 2:3)", "( 2\n  3 )"),
  prints("4", "P(10/4)", "2.500000"),
  prints("5a", "P(2-3-4)", "-5"),
  prints("5b", "P(2/3/4)", "0.166667"),
  prints("6a", "P(7.5%2)", "1.500000"),
  prints("6b", "P(-7%3)", "-1"),
  prints("7a", "P(Mod(-7,3))", "-1"),
  prints("7b", "P(IntDiv(-7,2))", "-3"),
  prints("8", "P((1:2):3:(4:5))", "( 1\n  2\n  3\n  ( 4\n    5 ) )"),
  prints("9a", "a=1:2 P(Length(a:3))", "2"),
  prints("9b", "P(Length(1:(2:3)))", "2"),
  prints("10a", "P(Length([|1;2|]:3))", "3"),
  prints("10b", "P(Length([||]:3))", "1"),
  prints("11a", "P([|5|])", "( 5 )"),
  prints("11b", "P([||])", "(  )"),
  prints("12", "P(_ConcatArrays(1:2,3:4:5))", "( 1\n  2\n  3\n  4\n  5 )"),
  prints("13", "P(Repeat(3,7))", "( ( ( (  )\n      7 )\n    7 )\n  7 )"),
  prints("14", "P((1:2:3)<<1)", "( 2\n  3 )"),
  fails("15", "P((1:2:3)[3])", "Index 3 out of bounds [0..2]."),
  prints("16", "a[i:0..3]=i*i P(a)", "( 0\n  1\n  4\n  9 )"),
  fails("17", "a[i:1..3]=i*i P(Length(a))", "This array is expected to begin with index 0."),
  prints("18", "fib[n:0..10]=if n<2 then n else fib[n-1]+fib[n-2] P(fib[10])", "55"),
  prints("19", "P(array[3..1](i=>i))", "(  )"),
  prints("20", "f=x=>y=>x*10+y P(f(1)(2))", "12"),
  prints("21", "f(x)=x+1 g(x)=x*10 h=f>>g P(h(1))", "20"),
  prints("22", "f(x,y=2)=x+y P(f(y=5,1))", "6"),
  fails("23", "f(x,y=2)=x+y P(f(1,z=5))", "function does not have an optional argument 'z'"),
  fails("24", "f(x)=x P(f(1,2))", "function expects 1 positional parameters, 2 were provided"),
  fails("25", "f(x,y=x)=y P(f(1))", "unknown identifier 'x'"),
  prints("26", "x=9 f(x,y=x)=y P(f(1))", "9"),
  prints("27", "x=5 f(y)=x+y b=[x=100;r=f(1)] P(b.r)", "6"),
  prints("28", "a=1 b=[a=2;c=a] P(b.c)", "2"),
  prints("29", "a=1 b=[c=2] P(b.a)", "1"),
  fails("30", "a=b b=a P(a)", "circular reference …"),
  prints("31", "P([b=a;a=1].b)", "1"),
  fails("32a", 'P("a"+1)', "operator + cannot be applied to these operands"),
  fails("32b", 'P(1=="1")', "operator == cannot be applied to these operands"),
  fails("33", "P(if 1 then 2 else 3)", "expected expression of type 'boolean'"),
  fails("34", "a=1:2 P(if Length(a)>5 && a[5]>0 then 1 else 0)", "Index 5 out of bounds [0..1]."),
  prints("35", 'P(if "x"=="x" then 1 else undefinedThing)', "1"),
  prints("36", 'P([a=1;b="x"])', "[\n  a = 1\n  b = x\n]"),
  prints("37a", 'P(Substr("hello",-3,2))', "ll"),
  prints("37b", 'P(Substr("hello",1,3))', "ell"),
  prints("37c", 'P(Substr("hello",9,2))', ""),
  prints("38", 'P(Replace("a.b.c",".","--"))', "a--b--c"),
  prints("39", 'P(Format(3.14159,".2"))', "3.14"),
  prints("40", "P('a\\nb')", "a\\nb"),
  fails("41a", "a=1;;b=2", "junk at end of source"),
  fails("41b", "a=[b=1,c=2]", "']' expected"),
  fails("42", "a=1 a=2", "duplicate member definition 'a'"),
  fails("43", "a = 1 @ 2", "unexpected character: @"),
  fails("44a", "a = /* x **/ 3", "comment without closing */"),
  prints("44b", "a = /**/ 3 P(a)", "3"),
  fails("45a", "a = 3 .* 4 P(a)", "operator .* cannot be applied to these operands"),
  prints("45b", "a = 3.*4 P(a)", "12"),
  fails("46a", "P(a.b) a=3", "expected expression of type 'record'"),
  fails("46b", "P(a(1)) a=3", "expected expression of type 'function'"),
  fails("46c", "P(a[1]) a=3", "expected expression of type 'array'"),
  prints("48a", "f{x}=x P(f(3))", "3"),
  prints("48b", "V[i:1..2](x)=x+i P(V[2](10))", "12"),
  prints("49", "P(if IsSameObject(None,[||]) then 1 else 2)", "2"),
  {
    name: "50",
    program: "{a=Input(1); y=a*2}",
    error: "AddNodeToNetIfNotYet: Duplicated name for y …",
    network: true,
  },
  {
    name: "51",
    program: "{a=Input(1); c=2/a}",
    error: "division by a ComputationNode is currently supported for the reciprocal, 1/x",
    network: true,
  },
  { name: "52", program: "{z=y; y=x; x=Input(1)}", nodes: ["z"], network: true },
];

/** Case 47 needs the class TensorShape: flattened dimensions, whatever text form the class has. */
export const tensorShapeCase = {
  name: "47",
  program: "P(new TensorShape [dims=1:(2:3):4])",
  dims: [1, 2, 3, 4],
};

/** Writes out the abbreviation `P(e)`. */
export function withPrint(program: string): string {
  return program.replace(/(^| )P\(/, "$1do = Print(");
}

/** Does a message agree with the `error` of a case? */
export function matchesError(message: string, expected: string): boolean {
  return expected.endsWith("…") ? message.startsWith(expected.slice(0, -1).trimEnd()) : message === expected;
}
