// One dashboard as a page, its panels drawn by Grafana's own code: @grafana/data applies the field
// options, @grafana/ui draws. What Grafana's panel plugins add is not published as a package; the
// few lines of it that matter here stand below.

import "./page.css";
import {
  type DataFrame,
  EventBusSrv,
  FieldConfigOptionsRegistry,
  type FieldConfigSource,
  FieldType,
  ThemeContext,
  type TimeRange,
  VizOrientation,
  applyFieldOverrides,
  applyNullInsertThreshold,
  createTheme,
  dateTime,
  displayNameOverrideProcessor,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  renderTextPanelMarkdown,
} from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import { BarGauge, BigValue, GlobalStyles, PanelChrome, PanelContextProvider, TimeSeries, VizRepeater } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { type Recording, type Target, answers } from "./answers";

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  fieldConfig?: FieldConfigSource;
  options?: any;
  timeFrom?: string;
}

interface Dashboard {
  title: string;
  time: { from: string };
  links: { title: string }[];
  templating: { list: { label: string; name: string }[] };
  panels: Panel[];
}

/** Pixels. */
interface Layout {
  width: number;
  margin: number;
  gap: number;
  /** Above the first row of the grid. */
  top: number;
  /** The height of a row of the grid, its gap included. */
  cell: number;
}

declare global {
  interface Window {
    preview: { dashboard: Dashboard; recording: Recording; layout: Layout };
    /** Set when all is drawn: the panels without a number. */
    drawn?: { empty: string[] };
  }
}

const { dashboard, recording, layout } = window.preview;
const { width: WIDTH, margin: MARGIN, gap: GAP, top: TOP } = layout;
const CELL = { width: (WIDTH - 2 * MARGIN + GAP) / 24, height: layout.cell };
const theme = createTheme({ colors: { mode: "dark" } });
const empty: string[] = [];

/** The range of a panel: its own, as `14d`, or that of the dashboard, as `now-6h`. */
function rangeOf(panel?: Panel): TimeRange & { seconds: number } {
  const raw = panel?.timeFrom ? `now-${panel.timeFrom}` : dashboard.time.from;
  const [, number, unit] = /^now-(\d+)([hd])$/.exec(raw) ?? [];
  if (!number) throw new Error(`the time range ${raw} is not known here`);
  const seconds = Number(number) * (unit === "d" ? 86_400 : 3600);
  const from = dateTime((recording.to - seconds) * 1000);
  const to = dateTime(recording.to * 1000);
  return { from, to, raw: { from: raw, to: "now" }, seconds };
}

/** `${__field.labels.X}`, the one variable that names of series use. */
function replaceVariables(text: string, scope?: any): string {
  const field = scope?.__dataContext?.value?.field;
  return text.replace(/\$\{__field\.labels\.(\w+)\}/g, (whole, name) => field?.labels?.[name] ?? whole);
}

/** The options of fields that these dashboards set; Grafana's own list belongs to its editor. */
function registry(config: FieldConfigSource): FieldConfigOptionsRegistry {
  const plain = (id: string, isCustom: boolean) => ({
    id: isCustom ? `custom.${id}` : id,
    path: id,
    name: id,
    isCustom,
    process: (value: unknown, context: any) =>
      id === "displayName" ? displayNameOverrideProcessor(value, context, { expandTemplateVars: true } as any) : value,
    shouldApply: (field: { type: FieldType }) => field.type !== FieldType.time,
  });
  const { custom = {}, ...standard } = config.defaults as Record<string, any>;
  const items = [...new Set([...Object.keys(standard), "displayName"])].map((id) => plain(id, false));
  const customs = Object.keys(custom).map((id) => plain(id, true));
  return new FieldConfigOptionsRegistry(() => [...items, ...customs] as any);
}

function frames(panel: Panel): DataFrame[] {
  const config = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const data = answers(panel.targets ?? [], recording, recording.to - rangeOf(panel).seconds);
  // A threshold without a lower limit is null in JSON and minus infinity in Grafana.
  const steps = config.defaults.thresholds?.steps.map((step) => ({ ...step, value: step.value ?? -Infinity }));
  const thresholds = steps && { ...config.defaults.thresholds!, steps };
  const fieldConfig = { ...config, defaults: { ...config.defaults, thresholds } };
  return applyFieldOverrides({ data, fieldConfig, fieldConfigRegistry: registry(fieldConfig), replaceVariables, theme, timeZone: "utc" });
}

function Nothing({ panel }: { panel: Panel }) {
  return <div className="nothing">{panel.fieldConfig?.defaults.noValue ?? "No data"}</div>;
}

function Lines({ panel, data, width, height }: Drawn) {
  const { from, to } = rangeOf(panel);
  const ends = { refFieldPseudoMin: from.valueOf(), refFieldPseudoMax: to.valueOf() };
  // As the panel plugin does for every series; the component would for the first one only.
  const gapped = data.map((frame) => applyNullInsertThreshold({ frame, ...ends }));
  const legend = panel.options.legend;
  return <TimeSeries frames={gapped} width={width} height={height} timeRange={rangeOf(panel)} timeZone="utc" legend={legend} options={panel.options} />;
}

function values(panel: Panel, data: DataFrame[]) {
  const { reduceOptions, graphMode } = panel.options;
  const fieldConfig = panel.fieldConfig!;
  return getFieldDisplayValues({ data, reduceOptions, fieldConfig, replaceVariables, theme, timeZone: "utc", sparkline: graphMode && graphMode !== "none" });
}

function Number_({ panel, data, width, height }: Drawn) {
  const { colorMode, graphMode, justifyMode, textMode } = panel.options;
  return (
    <VizRepeater
      source={data}
      width={width}
      height={height}
      renderCounter={0}
      orientation={VizOrientation.Auto}
      getValues={() => values(panel, data)}
      renderValue={({ value, width, height, count }) => (
        <BigValue
          value={value.display}
          sparkline={value.sparkline && { ...value.sparkline, timeRange: rangeOf(panel) }}
          {...{ width, height, count, theme, colorMode, graphMode, justifyMode, textMode }}
        />
      )}
    />
  );
}

function Bars({ panel, data, width, height }: Drawn) {
  const { orientation, displayMode, showUnfilled, minVizWidth, minVizHeight, maxVizHeight, valueMode, namePlacement, text } = panel.options;
  return (
    <VizRepeater
      source={data}
      width={width}
      height={height}
      renderCounter={0}
      itemSpacing={10}
      orientation={orientation}
      minVizWidth={minVizWidth}
      minVizHeight={minVizHeight}
      maxVizHeight={maxVizHeight}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      getValues={() => values(panel, data)}
      renderValue={({ value, width, height, orientation, alignmentFactors }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          text={text}
          valueDisplayMode={valueMode}
          {...{ width, height, orientation, alignmentFactors, displayMode, showUnfilled, namePlacement, theme }}
        />
      )}
    />
  );
}

interface Drawn {
  panel: Panel;
  data: DataFrame[];
  width: number;
  height: number;
}

function Content(drawn: Drawn) {
  const { panel, data } = drawn;
  if (panel.type === "text") {
    return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderTextPanelMarkdown(panel.options.content) }} />;
  }
  const hasNumber = data.some((frame) => frame.fields.some((field) => field.type === FieldType.number && field.values.some((one) => one !== null)));
  if (!hasNumber) {
    empty.push(panel.title);
    return panel.type === "stat" ? <Number_ {...drawn} /> : <Nothing panel={panel} />;
  }
  switch (panel.type) {
    case "timeseries":
      return <Lines {...drawn} />;
    case "stat":
      return <Number_ {...drawn} />;
    case "bargauge":
      return <Bars {...drawn} />;
    default:
      throw new Error(`panel ${panel.id}: ${panel.type} is not drawn here`);
  }
}

function Place({ panel, children }: { panel: Panel; children: React.ReactNode }) {
  const { x, y, w, h } = panel.gridPos;
  const style = { left: MARGIN + x * CELL.width, top: TOP + y * CELL.height, width: w * CELL.width - GAP, height: h * CELL.height - GAP };
  return <div className="place" style={style}>{children}</div>;
}

const events = new EventBusSrv();

function Page() {
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const shown: Record<string, string> = { datasource: "CloudWatch", endpoint: recording.endpoint, component: "All" };
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={{ eventsScope: "preview", eventBus: events } as any}>
        <main style={{ width: WIDTH, height: TOP + bottom * CELL.height + MARGIN }}>
          <header>
            <h1>{dashboard.title}</h1>
            <span>Last {rangeOf().seconds / 3600} hours, UTC{recording.is_made_up ? " · made-up data" : ""}</span>
          </header>
          <nav>
            {dashboard.templating.list.map(({ name, label }) => (
              <div className="variable" key={name}>
                <b>{label}</b>
                <span>{shown[name] ?? ""}</span>
              </div>
            ))}
            <div className="links">{dashboard.links.map(({ title }) => <span key={title}>{title}</span>)}</div>
          </nav>
          {dashboard.panels.map((panel) => (
            <Place key={panel.id} panel={panel}>
              {panel.type === "row" ? (
                <h2>{panel.title}</h2>
              ) : (
                <PanelChrome titleItems={panel.timeFrom && <span className="range">Last {panel.timeFrom}</span>} title={panel.title} description={panel.description} width={panel.gridPos.w * CELL.width - GAP} height={panel.gridPos.h * CELL.height - GAP}>
                  {(width, height) => <Content panel={panel} data={frames(panel)} width={width} height={height} />}
                </PanelChrome>
              )}
            </Place>
          ))}
        </main>
      </PanelContextProvider>
    </ThemeContext.Provider>
  );
}

await initPluginTranslations("grafana");
await Promise.all([document.fonts.load("400 12px Inter"), document.fonts.load("500 14px Inter")]);
const root = document.getElementById("root")!;
createRoot(root).render(<Page />);
// Legends measure themselves, plots follow; then the icons come.
setTimeout(() => (window.drawn = { empty: [...new Set(empty)] }), 1500);
