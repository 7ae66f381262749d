import { PNG } from "pngjs";
import { training, type MessageCase } from "./message-case.js";

const network = `
  x = Input {12} ; y = Input {2}
  z = LinearLayer {2} (x)
  error = CrossEntropyWithSoftmax (y, z)
  criterionNodes = (error) ; outputNodes = (z)`;

const scale = "[ type = Scale ; width = 2 ; height = 2 ; channels = 3 ]";

/** A picture of one colour. */
function png(width: number, height: number): Uint8Array {
  const picture = new PNG({ width, height });
  picture.data.fill(200);
  return new Uint8Array(PNG.sync.write(picture));
}

const pictures = { "a.png": png(2, 2), "b.png": png(3, 2) };

function reading(
  code: string,
  options: {
    readonly transforms?: string;
    readonly map?: string;
    readonly type?: string;
    readonly files?: Readonly<Record<string, string | Uint8Array>>;
  },
): MessageCase {
  const { transforms = scale, type = "ImageDeserializer", map = "a.png\t0\nb.png\t1\n", files } = options;
  const message = training(code, {
    network,
    composite: true,
    data: map,
    reader: `
      randomize = false
      deserializers = ( [
        type = ${type} ; module = ImageReader ; file = data.txt
        input = [ x = [ transforms = ( ${transforms} ) ] ; y = [ labelDim = 2 ] ]
      ] )`,
  });
  return { ...message, files: { ...message.files, ...pictures, ...files } };
}

/** Pictures, and the lists of what is done to them. */
export const imageCases: readonly MessageCase[] = [
  reading("image-map", { map: "a.png 0\n" }),
  reading("image-map", { map: "a.png\tcat\n" }),
  reading("image-map", { map: "0\ta.png\n" }),
  reading("image-map", { map: "a.png\t0\nb.png\t2\n" }),
  reading("image-missing", { map: "a.png\t0\nc.png\t1\n" }),
  {
    ...reading("image-map", {}),
    command:
      "configFile=net.cntk reader=[deserializers=([type=ImageDeserializer;module=ImageReader;file=date.txt;input=[x=[transforms=([type=Scale;width=2;height=2;channels=3])];y=[labelDim=2]]])]",
  },
  reading("image-format", { files: { "b.png": "no picture" } }),
  reading("image-format", { files: { "b.png": png(2, 2).slice(0, 40) } }),
  reading("image-zip", { map: "all.zip@/a.png\t0\n" }),
  reading("image-zip", { map: "all.zip@/a.png\t0\n", files: { "all.zip": "no zip file" } }),
  reading("image-size", { transforms: "[ type = Crop ; cropType = center ]" }),
  reading("image-size", { transforms: "[ type = Scale ; width = 2 ; height = 2 ; channels = 1 ]" }),
  reading("image-option", { transforms: `[ type = Crop ; sideRatio = 2 ] : ${scale}` }),
  reading("image-option", { transforms: `[ type = Crop ; cropType = somewhere ] : ${scale}` }),
  reading("image-option", { transforms: `${scale} : [ type = Transpose ] : [ type = Color ]` }),
  reading("image-mean", { transforms: `${scale} : [ type = Mean ; meanFile = mean.xml ]` }),
  reading("image-mean", {
    transforms: `${scale} : [ type = Mean ; meanFile = mean.xml ]`,
    files: { "mean.xml": "<opencv_storage><Channel>3</Channel></opencv_storage>" },
  }),
  reading("reader-type", { transforms: `${scale} : [ type = Transpos ]` }),
  reading("data-invalid", { type: "Base64ImageDeserializer", map: "0\tAAAA\n1\t!!!\n" }),
];
