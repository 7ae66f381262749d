export { assembleConfiguration, isConfigFileWord, type Assembled } from "./assemble.js";
export { ConfigSection, readArray, type SectionResult } from "./config-section.js";
export { parseBoolean, parseDouble, parseInteger, parseSize } from "./conversions.js";
export { MappedText, MappedTextBuilder } from "./mapped-text.js";
export { printConfiguration } from "./print-configuration.js";
export { readConfiguration, type Configuration } from "./read-configuration.js";
export { Schedule } from "./schedule.js";
export { splitEntries, type Separator, type SplitResult } from "./split-entries.js";
