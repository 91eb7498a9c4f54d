// Draws dashboards as PNG files.
//
//   node draw.mjs DASHBOARDS SERIES.json PICTURES NAME...
//
// Chromium is that of the variable CHROMIUM, or one that is installed.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build } from "esbuild";
import puppeteer from "puppeteer-core";
import sharp from "sharp";

const [dashboards, recordingFile, pictures, ...names] = process.argv.slice(2);
const here = import.meta.dirname;
const LONGEST_TOP = 880;
/** Of the page: pixels. */
const LAYOUT = { width: 1440, margin: 16, gap: 8, top: 84, cell: 38 };
const HOST = "http://preview.invalid";
const FONTS = join(here, "node_modules/@fontsource");
const ICONS = join(here, "node_modules/@grafana/ui/dist/public/img/icons");

function chromium() {
  const named = process.env.CHROMIUM;
  const usual = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const installed = usual.flatMap((name) => folders.map((folder) => join(folder, name)));
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  const found = (named ? [named] : [...installed, mac]).find((path) => existsSync(path));
  if (found) return found;
  const reason = named ? `CHROMIUM=${named} does not exist` : "Chromium is missing";
  console.error(`${reason}: install it (Debian: apt-get install chromium), or give the path of one with CHROMIUM=`);
  process.exit(1);
}

async function page() {
  const result = await build({
    entryPoints: [join(here, "page.tsx")],
    bundle: true,
    write: false,
    outdir: "out",
    format: "esm",
    jsx: "automatic",
    minify: true,
    loader: { ".woff": "empty", ".woff2": "dataurl", ".svg": "dataurl", ".png": "dataurl", ".ttf": "empty" },
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    logLevel: "error",
  });
  return new Map(result.outputFiles.map((file) => [`/${file.path.split("/").pop()}`, file]));
}

const HTML =
  '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/page.css"><div id="root"></div><script type="module" src="/page.js"></script>';

/** Grafana's style sheet names fonts that come with its server, not with its packages. */
function fontOf(pathname) {
  const weight = { Light: 300, Regular: 400, Medium: 500 }[/\/fonts\/inter\/Inter-(\w+)\.woff2$/.exec(pathname)?.[1]];
  if (weight) return `inter/files/inter-latin-${weight}-normal.woff2`;
  return pathname.includes("/fonts/roboto/") ? "roboto-mono/files/roboto-mono-latin-400-normal.woff2" : undefined;
}

/** Everything that the page asks for comes out of this folder: nothing goes over the network. */
function answer(request, files, missing) {
  const { pathname } = new URL(request.url());
  if (pathname === "/") return request.respond({ contentType: "text/html", body: HTML });
  const file = files.get(pathname);
  if (file) return request.respond({ contentType: pathname.endsWith(".css") ? "text/css" : "text/javascript", body: Buffer.from(file.contents) });
  const icon = join(ICONS, pathname.split("/img/icons/")[1] ?? "none");
  if (existsSync(icon)) return request.respond({ contentType: "image/svg+xml", body: readFileSync(icon) });
  const font = fontOf(pathname);
  if (font) return request.respond({ contentType: "font/woff2", body: readFileSync(join(FONTS, font)) });
  if (pathname !== "/favicon.ico") missing.add(pathname);
  return request.respond({ status: 404 });
}

/** Where the first rows of panels end that go into a picture of their own: in pixels of the page. */
function topOf({ panels }) {
  const { top, cell } = LAYOUT;
  const bottoms = panels.filter(({ type }) => type !== "row").map(({ gridPos: { y, h } }) => y + h);
  const isBetween = (at) => panels.every(({ gridPos: { y, h } }) => y >= at || y + h <= at);
  const fitting = bottoms.filter((at) => isBetween(at) && top + at * cell <= LONGEST_TOP);
  return top + Math.max(...fitting) * cell;
}

async function draw(browser, files, name, recording) {
  const tab = await browser.newPage();
  const mistakes = [];
  const missing = new Set();
  const broken = new Promise((_, refuse) => tab.on("pageerror", refuse));
  tab.on("console", (message) => message.type() === "error" && !message.text().includes("404") && mistakes.push(message.text()));
  await tab.setRequestInterception(true);
  tab.on("request", (request) => request.url().startsWith(HOST) ? answer(request, files, missing) : request.continue());
  await tab.emulateTimezone("UTC");
  await tab.setViewport({ width: LAYOUT.width, height: 1200 });
  const dashboard = JSON.parse(readFileSync(join(dashboards, `${name}.json`), "utf8"));
  await tab.evaluateOnNewDocument((preview) => {
    window.__grafana_public_path__ = "/public/";
    window.preview = preview;
  }, { dashboard, recording, layout: LAYOUT });
  await tab.goto(HOST);
  try {
    await Promise.race([tab.waitForFunction(() => window.drawn, { timeout: 60_000 }), broken]);
  } catch (error) {
    mistakes.push(error.message);
  }
  mistakes.push(...[...missing].map((path) => `${path} is not to be had`));
  if (mistakes.length > 0) throw new Error(`${name} was not drawn:\n  ${mistakes.join("\n  ")}`);
  const { empty } = await tab.evaluate(() => window.drawn);
  const png = await tab.screenshot({ fullPage: true });
  await tab.close();
  const top = { left: 0, top: 0, width: LAYOUT.width, height: topOf(dashboard) };
  await write(`${name}-top`, sharp(png).extract(top));
  await write(name, sharp(png));
  if (empty.length > 0) console.log(`${name} has nothing to show in: ${empty.join("; ")}`);
}

async function write(name, picture) {
  const path = join(pictures, `${name}.png`);
  const { size } = await picture.png({ palette: true, colours: 64, dither: 0, effort: 10 }).toFile(path);
  console.log(`${path}: ${Math.round(size / 1000)} kB`);
}

const executablePath = chromium();
const recording = JSON.parse(readFileSync(recordingFile, "utf8"));
mkdirSync(pictures, { recursive: true });
const files = await page();
const browser = await puppeteer.launch({ executablePath, env: { ...process.env, LANGUAGE: "en_US", LC_ALL: "en_US.UTF-8" }, args: ["--no-sandbox", "--lang=en-US", "--disable-gpu", "--font-render-hinting=none"] });
try {
  for (const name of names) await draw(browser, files, name, recording);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
}
