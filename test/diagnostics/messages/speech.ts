import { training, type MessageCase } from "./message-case.js";

const network = `
  x = Input {2} ; y = Input {2}
  z = LinearLayer {2} (x)
  error = CrossEntropyWithSoftmax (y, z)
  criterionNodes = (error) ; outputNodes = (z)`;

/** Two frames of two floats, as HTK writes them. */
function features(change: (view: DataView) => void = () => undefined): Uint8Array {
  const view = new DataView(new ArrayBuffer(28));
  view.setInt32(0, 2);
  view.setInt32(4, 100000);
  view.setInt16(8, 8);
  view.setInt16(10, 9);
  change(view);
  return new Uint8Array(view.buffer);
}

const labels = '#!MLF!#\n"a.lab"\n0 2 x 1\n.\n';

function reading(
  code: string,
  options: {
    readonly script?: string;
    readonly feature?: string;
    readonly label?: string;
    readonly mlf?: string;
    readonly a?: Uint8Array;
    readonly more?: string;
    /** At the end of the configuration. */
    readonly top?: string;
  },
): MessageCase {
  const message = training(code, {
    network,
    ...(options.top !== undefined && { more: options.top }),
    composite: true,
    data: options.script ?? "a.fea=a.fea[0,1]\n",
    reader: `
      readerType = HTKDeserializers
      x = [ ${options.feature ?? "dim = 2"} ; scpFile = data.txt ]
      y = [ ${options.label ?? "dim = 2"} ; mlfFile = labels.mlf ]
      ${options.more ?? ""}`,
  });
  const files = { "a.fea": options.a ?? features(), "labels.mlf": options.mlf ?? labels };
  return { ...message, files: { ...message.files, ...files } };
}

/** Features in an archive of Kaldi's, as text. */
function readingKaldi(files: Readonly<Record<string, string>>): MessageCase {
  const message = training("kaldi-file", {
    network,
    composite: true,
    data: "ark:feats.ark\n",
    reader: `
      readerType = Kaldi2Reader
      x = [ dim = 2 ; scpFile = counts ; rx = data.txt ]
      y = [ dim = 2 ; mlfFile = post ]`,
  });
  const all = {
    counts: "a 2\n",
    "feats.ark": "a [\n 1 2\n 3 4 ]\n",
    post: "ark:post.ark\n",
    "post.ark": "a [ 0 1 ] [ 1 1 ]\n",
  };
  return { ...message, files: { ...message.files, ...all, ...files } };
}

/** Features and labels of speech. */
export const speechCases: readonly MessageCase[] = [
  reading("htk-script", { script: "a.fea\n" }),
  reading("htk-script", { script: "a.fea=a.fea[0;1]\n" }),
  reading("htk-file", { script: "a.fea=b.fea[0,1]\n" }),
  reading("htk-file", { script: "a.fea=a.fea[0,2]\n" }),
  reading("htk-file", { a: features((view) => view.setInt16(10, 3)) }),
  reading("htk-file", { a: features().slice(0, 20) }),
  reading("htk-file", { feature: "dim = 3" }),
  reading("htk-labels", { mlf: "a.lab\n0 2 x 1\n.\n" }),
  reading("htk-labels", { mlf: labels.replace("x 1", "x 7") }),
  reading("htk-labels", { mlf: labels.replace(" x 1", "") }),
  reading("htk-labels", { mlf: labels.replace(/\n$/, "") }),
  reading("htk-option", { feature: "dim = 2 ; contextWindow = 4" }),
  reading("htk-option", { more: "truncated = true", top: "truncated = true" }),
  reading("not-available", { more: "lattice = [ denlatTocFile = x ]" }),
  readingKaldi({ counts: "a two\n" }),
  readingKaldi({ counts: "a 3\n" }),
  readingKaldi({ "feats.ark": "a [\n 1 2\n 3 ]\n" }),
  readingKaldi({ post: "post.ark\n" }),
  readingKaldi({ "post.ark": "a [ 0 0.5 1 0.5 ] [ 1 1 ]\n" }),
  reading("data-invalid", { mlf: labels.replace("0 2", "1 2") }),
];
