export function mutatedText(text: string, seed: number): string;
