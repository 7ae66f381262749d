export function bundleForBrowsers(dist: string): Promise<string>;
