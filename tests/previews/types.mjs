// Checks dashboards against the types of @grafana/schema: each dashboard, each question to
// CloudWatch, the options of each panel and the options of its fields as literals of their types,
// so that a key that the schema does not know is a mistake too.
//
//   node types.mjs DASHBOARDS NAME...

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const [dashboards, ...names] = process.argv.slice(2);
const RAW = "@grafana/schema/dist/esm/raw/composable";

/** Panels that the schema has types of, and whether their fields have options of their own. */
const PANELS = {
  timeseries: { module: `${RAW}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen`, hasFieldOptions: true },
  stat: { module: `${RAW}/stat/panelcfg/x/StatPanelCfg_types.gen` },
  bargauge: { module: `${RAW}/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen` },
  text: { module: `${RAW}/text/panelcfg/x/TextPanelCfg_types.gen` },
};

/** JSON has the values of enums where TypeScript asks for their names. */
const PLAIN = `
type Plain<T> =
  T extends string ? \`\${T}\` :
  T extends number ? (number extends T ? number : \`\${T}\` extends \`\${infer N extends number}\` ? N : never) :
  T extends readonly (infer One)[] ? Plain<One>[] :
  T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;
`;

const written = [];
const places = [];
let unchecked = 0;

function check(place, type, value) {
  const last = written.push(`export const value${written.length}: Plain<${type}> = ${JSON.stringify(value)};`);
  places[last - 1] = { place, type };
}

/** The first step of thresholds has no limit: null in JSON, minus infinity in Grafana's memory. */
function withFirstSteps(dashboard) {
  const copy = structuredClone(dashboard);
  for (const panel of copy.panels) {
    const first = panel.fieldConfig?.defaults.thresholds?.steps[0];
    if (first?.value === null) first.value = 0;
  }
  return copy;
}

for (const name of names) {
  const dashboard = JSON.parse(readFileSync(join(dashboards, `${name}.json`), "utf8"));
  check(name, "Dashboard", withFirstSteps(dashboard));
  for (const panel of dashboard.panels.filter((one) => one.type !== "row")) {
    const place = `${name}, ${panel.title}`;
    const known = PANELS[panel.type];
    if (!known) throw new Error(`${place}: the types of ${panel.type} are not in the list of types.mjs`);
    check(place, `${panel.type}.Options`, panel.options);
    if (known.hasFieldOptions) check(place, `${panel.type}.FieldConfig`, panel.fieldConfig.defaults.custom);
    for (const target of panel.targets ?? []) {
      if (target.datasource.type === "cloudwatch") check(`${place}, ${target.refId}`, "CloudWatchMetricsQuery", target);
      else unchecked += 1;
    }
  }
}

const text = [
  `import type { Dashboard } from "@grafana/schema";`,
  `import type { CloudWatchMetricsQuery } from "${RAW}/cloudwatch/dataquery/x/CloudWatchDataQuery_types.gen";`,
  ...Object.entries(PANELS).map(([name, { module }]) => `import type * as ${name} from "${module}";`),
  PLAIN,
].join("\n");
const before = text.split("\n").length;
const file = join(import.meta.dirname, "checked.ts");
const options = { strict: true, noEmit: true, skipLibCheck: true, types: [], module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022 };
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists } = host;
host.getSourceFile = (path, ...rest) => path === file ? ts.createSourceFile(path, `${text}\n${written.join("\n")}`, ts.ScriptTarget.ES2022) : getSourceFile(path, ...rest);
host.fileExists = (path) => path === file || fileExists(path);

const program = ts.createProgram([file], options, host);
const mistakes = ts.getPreEmitDiagnostics(program).map((one) => {
  const line = one.file ? one.file.getLineAndCharacterOfPosition(one.start).line : 0;
  const { place, type } = places[line - before] ?? { place: one.file?.fileName ?? "the compiler", type: "" };
  return `${place}: as ${type}: ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`;
});
if (mistakes.length > 0) {
  console.error(mistakes.slice(0, 40).join("\n"));
  console.error(`${mistakes.length} mistakes in ${written.length} values`);
  process.exit(1);
}
console.log(`types: ${written.length} values of ${names.length} dashboards are right; ${unchecked} expressions and PromQL queries have no types in @grafana/schema`);
