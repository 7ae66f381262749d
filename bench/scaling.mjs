// The cost of a training step on N processes, by the model of docs/scaling.md: node bench/scaling.mjs
// Measured: seconds of one core for a sample, and the parameters. Everything else is an assumption, named in the document.
const networks = [
  { name: "07 (deconvolution)", parameters: 51, seconds: 0.00023, batch: 1024 },
  { name: "02 (one convolution)", parameters: 201_834, seconds: 0.00103, batch: 1024 },
  { name: "ResNet-50, 224 x 224", parameters: 25_557_032, seconds: 8.2, batch: 1024 },
  { name: "LSTM, 1024 cells, 10,000 words", parameters: 15_934_480, seconds: 0.032, batch: 1024 },
];
const links = [
  { name: "10 Gbit/s Ethernet", latency: 30e-6, bandwidth: 1.25e9 },
  { name: "100 Gbit/s InfiniBand", latency: 2e-6, bandwidth: 12.5e9 },
];
const bytes = 4;

/** A ring: every process sends its part 2 (N − 1) times, in all 2 (N − 1) / N of the numbers. */
function allReduce(parameters, processes, { latency, bandwidth }) {
  if (processes === 1) return 0;
  return 2 * (processes - 1) * latency + (2 * (processes - 1) * parameters * bytes) / (processes * bandwidth);
}

for (const link of links) {
  console.log(
    `\n${link.name}: share of a step that is computing (batch fixed | batch grown with the processes)`,
  );
  for (const { name, parameters, seconds, batch } of networks) {
    const shares = [8, 32, 128, 512, 1024].map((processes) => {
      const wait = allReduce(parameters, processes, link);
      const fixed = (seconds * batch) / processes;
      const grown = seconds * batch;
      const percent = (work) =>
        `${((100 * work) / (work + wait)).toFixed(work / (work + wait) > 0.999 ? 1 : 0)}%`;
      return `${processes}: ${percent(fixed)} | ${percent(grown)}`;
    });
    console.log(`  ${name.padEnd(32)} ${shares.join("   ")}`);
  }
}
