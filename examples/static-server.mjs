// What the example pages are served with: files by the path of their address, nothing else.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { basename, extname } from "node:path";

const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
};

/**
 * Serves this machine and prints where: `fileOf` names the file behind a path, or none. The port is PORT, else 8080; 0 takes any
 * free one.
 */
export function serve(fileOf) {
  const server = createServer(({ url }, response) => {
    const path = fileOf(new URL(url, "http://localhost").pathname);
    if (!path || !existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": types[extname(path)] ?? "application/octet-stream",
      "content-disposition": `inline; filename="${encodeURIComponent(basename(path))}"`,
    });
    createReadStream(path).pipe(response);
  });
  server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}/`);
  });
}
