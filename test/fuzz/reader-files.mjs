// Small data sets of every kind that readers open: what the fuzz drivers damage, one file at a time.
import { readFileSync } from "node:fs";

const text = (content) => new TextEncoder().encode(content);
const fixture = (name) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

/** Twenty frames of three numbers, compressed. */
function htk() {
  const view = new DataView(new ArrayBuffer(12 + 8 * 3 + 6 * 20));
  view.setInt32(0, 24);
  view.setInt32(4, 100000);
  view.setInt16(8, 6);
  view.setInt16(10, 9 | 0o2000);
  for (let i = 0; i < 3; i++) view.setFloat32(12 + 4 * i, 1);
  return new Uint8Array(view.buffer);
}

/** A mean picture as OpenCV writes it. */
function mean() {
  const values = Array.from({ length: 4 * 4 * 3 }, (_, i) => 100 + i).join(" ");
  return `<?xml version="1.0"?>\n<opencv_storage>\n<Channel>3</Channel><Row>4</Row><Col>4</Col>
<MeanImg type_id="opencv-matrix">\n<rows>1</rows><cols>48</cols><dt>f</dt>\n<data>${values}</data></MeanImg>
</opencv_storage>\n`;
}

const speech = {
  "a.scp": text("a.fea=x.fea[0,12]\nb.fea=x.fea[13,19]\n"),
  "a.mlf": text('#!MLF!#\n"a.lab"\n0 5 s0 1\n5 13 s1 2\n.\n"*/b.lab"\n0 700000 s1 4\n.\n'),
  "x.fea": htk(),
};

const kaldi = {
  counts: text("one-a 11\ntwo.b 9\n"),
  post: text("ark,s,cs,p: post.ark\n"),
  "post.ark": text(`one-a${" [ 3 1 ]".repeat(11)}\ntwo.b${" [ 0 1 ]".repeat(9)}\n`),
};

/** Sections of readers, each with its files by name. */
export const dataSets = [
  {
    name: "images",
    section: `readerType = ImageReader ; file = map.txt ; randomize = none
      features = [ width = 4 ; height = 4 ; channels = 3 ; meanFile = mean.xml ] ; labels = [ labelDim = 10 ]`,
    files: {
      "map.txt": text("a.jpg\t3\nkey\tb.png\t1\n"),
      "a.jpg": fixture("images/a.jpg"),
      "b.png": fixture("images/a.png"),
      "mean.xml": text(mean()),
    },
  },
  {
    name: "speech",
    section: `readerType = HTKDeserializers ; readMethod = none ; frameMode = false
      x = [ dim = 3 ; scpFile = a.scp ] ; y = [ dim = 8 ; mlfFile = a.mlf ]`,
    files: speech,
  },
  {
    name: "frames of speech",
    section: `readerType = HTKMLFReader ; readMethod = blockRandomize ; frameMode = true
      x = [ dim = 3 ; scpFile = a.scp ; contextWindow = 3 ] ; y = [ dim = 8 ; mlfFile = a.mlf ]`,
    files: speech,
  },
  {
    name: "kaldi",
    section: `readerType = Kaldi2Reader ; readMethod = none ; frameMode = false
      x = [ dim = 3 ; scpFile = counts ; rx = rx ] ; y = [ dim = 5 ; mlfFile = post ]`,
    files: {
      ...kaldi,
      rx: text("ark,s,cs,p: feats.ark\n"),
      "feats.ark": fixture("kaldi/cm.ark"),
    },
  },
  {
    name: "kaldi as text",
    section: `readerType = Kaldi2Reader ; readMethod = none ; frameMode = true
      x = [ dim = 3 ; scpFile = counts ; rx = rx ] ; y = [ dim = 5 ; mlfFile = post ]`,
    files: {
      ...kaldi,
      rx: text("scp,s,cs,p: feats.scp\n"),
      "feats.scp": text("one-a text.ark:6\ntwo.b float.ark:159\n"),
      "text.ark": fixture("kaldi/text.ark"),
      "float.ark": fixture("kaldi/float.ark"),
    },
  },
  {
    name: "text",
    section: `readerType = CNTKTextFormatReader ; file = d.txt ; randomize = false
      input = [ x = [ dim = 3 ; format = dense ] ; y = [ dim = 5 ; format = sparse ; alias = L ] ]`,
    files: {
      "d.txt": text("0 |x 1 2 3 |L 1:1\n0 |x 4 5e-3 -6\n1 |L 4:0.5 0:2 |x 7 8 9 |# a comment\n2 |x 1 1 1\n"),
    },
  },
];
