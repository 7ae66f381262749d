export const updateRules: readonly string[];
export function checkpointFiles(rule: string): Record<string, string>;
