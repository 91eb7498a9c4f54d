// What Grafana's backend would hand to a panel: the answers to its questions to CloudWatch, out of
// a file of series, and its own expressions over them.

import { type DataFrame, FieldType, type Labels } from "@grafana/data";

/** One series as CloudWatch answered it. Times are seconds since 1970, the period is in seconds. */
export interface Series {
  namespace: string;
  metric: string;
  dimensions: Labels;
  statistic: string;
  period: number;
  times: number[];
  values: number[];
}

/** The file of series: see day.mjs. */
export interface Recording {
  about: string;
  is_made_up: boolean;
  from: number;
  to: number;
  endpoint: string;
  series: Series[];
}

/** A target of a panel, as far as it is read here. */
export interface Target {
  refId: string;
  hide?: boolean;
  datasource: { type: string };
  type?: string;
  expression?: string;
  reducer?: string;
  namespace?: string;
  metricName?: string;
  dimensions?: Record<string, string[]>;
  statistic?: string;
  period?: string;
  label?: string;
}

/** Points of one series with its labels; a number has one point without a time. */
interface Points {
  labels: Labels;
  name?: string;
  times: number[] | undefined;
  values: (number | null)[];
}

/** The frames of all targets that are not hidden. */
export function answers(targets: Target[], recording: Recording, from: number): DataFrame[] {
  const known = new Map<string, Points[]>();
  for (const target of targets) {
    const isExpression = target.datasource.type === "__expr__";
    known.set(target.refId, isExpression ? evaluate(target, known) : ask(target, recording, from));
  }
  return targets
    .filter((target) => target.hide !== true)
    .flatMap((target) => (known.get(target.refId) ?? []).map((points) => frame(target.refId, points)));
}

function ask(target: Target, recording: Recording, from: number): Points[] {
  const { namespace, metricName, statistic, period, dimensions = {} } = target;
  const names = Object.keys(dimensions).sort().join();
  const isAsked = (name: string, value: string) =>
    dimensions[name].some((one) => one === "*" || one === "$component" || one === value || (one === "$endpoint" && value === recording.endpoint));
  const found = recording.series.filter(
    (one) =>
      one.namespace === namespace &&
      one.metric === metricName &&
      one.statistic === statistic &&
      one.period === Number(period) &&
      Object.keys(one.dimensions).sort().join() === names &&
      Object.entries(one.dimensions).every(([name, value]) => isAsked(name, value)),
  );
  // By name, so that a component mostly has the same colour everywhere.
  const key = (one: Series) => Object.values(one.dimensions).join(" ");
  found.sort((one, other) => key(one).localeCompare(key(other)));
  return found.flatMap((one) => {
    const kept = one.times.map((_, at) => at).filter((at) => one.times[at] >= from);
    if (kept.length === 0) return [];
    const label = (target.label ?? "").replace(/\$\{PROP\('Dim\.([^']+)'\)\}/g, (_, name) => one.dimensions[name] ?? "");
    return [{ labels: one.dimensions, name: label, times: kept.map((at) => one.times[at]), values: kept.map((at) => one.values[at]) }];
  });
}

function frame(refId: string, { labels, name, times, values }: Points): DataFrame {
  const config = name ? { displayNameFromDS: name } : {};
  const value = { name: name ?? refId, type: FieldType.number, config, labels, values };
  const time = { name: "Time", type: FieldType.time, config: {}, values: (times ?? []).map((one) => one * 1000) };
  return { refId, name, length: values.length, fields: times ? [time, value] : [value] };
}

function evaluate(target: Target, known: Map<string, Points[]>): Points[] {
  switch (target.type) {
    case "reduce":
      return (known.get(target.expression ?? "") ?? []).map(({ labels, values }) => ({
        labels,
        times: undefined,
        values: [reduced(target.reducer ?? "", values.filter((one) => one !== null))],
      }));
    case "math":
      return new Formula(target.expression ?? "", known).result();
    default:
      throw new Error(`expression ${target.refId}: ${target.type} is not known here`);
  }
}

function reduced(reducer: string, values: number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  switch (reducer) {
    case "mean":
      return sum / values.length;
    case "sum":
      return sum;
    case "last":
      return values[values.length - 1];
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    default:
      throw new Error(`the reducer ${reducer} is not known here`);
  }
}

type Operand = number | Points[];

/** `1000 * $C / $D`: numbers, ids of targets, + - * /, parentheses. */
class Formula {
  private readonly tokens: string[];
  private at = 0;

  constructor(private readonly text: string, private readonly known: Map<string, Points[]>) {
    this.tokens = text.match(/\$\{?\w+\}?|\d+(?:\.\d+)?|\S/g) ?? [];
  }

  result(): Points[] {
    const result = this.sum();
    if (this.at < this.tokens.length || typeof result === "number") throw new Error(`not understood here: ${this.text}`);
    return result;
  }

  private sum(): Operand {
    let left = this.product();
    while ("+-".includes(this.tokens[this.at] ?? "none")) {
      const sign = this.tokens[this.at++];
      left = joined(left, this.product(), sign === "+" ? (a, b) => a + b : (a, b) => a - b);
    }
    return left;
  }

  private product(): Operand {
    let left = this.factor();
    while ("*/".includes(this.tokens[this.at] ?? "none")) {
      const sign = this.tokens[this.at++];
      left = joined(left, this.factor(), sign === "*" ? (a, b) => a * b : (a, b) => a / b);
    }
    return left;
  }

  private factor(): Operand {
    const token = this.tokens[this.at++] ?? "";
    if (token === "(") {
      const inner = this.sum();
      this.at += 1;
      return inner;
    }
    if (token.startsWith("$")) return this.known.get(token.replace(/[${}]/g, "")) ?? [];
    return Number(token);
  }
}

/** Series join where the labels of one are among those of the other, points where times are equal. */
function joined(left: Operand, right: Operand, apply: (a: number, b: number) => number): Operand {
  const safe = (a: number | null, b: number | null) => (a === null || b === null ? null : apply(a, b));
  if (typeof left === "number" && typeof right === "number") return apply(left, right);
  if (typeof left === "number") return (right as Points[]).map((one) => ({ ...unnamed(one), values: one.values.map((value) => safe(left, value)) }));
  if (typeof right === "number") return left.map((one) => ({ ...unnamed(one), values: one.values.map((value) => safe(value, right)) }));
  return left.flatMap((a) => right.filter((b) => belong(a.labels, b.labels)).map((b) => pair(a, b, safe)));
}

const unnamed = ({ labels, times }: Points) => ({ labels, times });

function belong(one: Labels, other: Labels): boolean {
  const [few, many] = Object.keys(one).length <= Object.keys(other).length ? [one, other] : [other, one];
  return Object.entries(few).every(([name, value]) => many[name] === value);
}

function pair(a: Points, b: Points, apply: (a: number | null, b: number | null) => number | null): Points {
  const labels = { ...a.labels, ...b.labels };
  if (!a.times || !b.times) {
    const [times, count] = a.times ? [a.times, a.values.length] : [b.times, b.values.length];
    const value = (of: Points, at: number) => (of.times ? of.values[at] : of.values[0]);
    return { labels, times, values: Array.from({ length: count }, (_, at) => apply(value(a, at), value(b, at))) };
  }
  const others = new Map(b.times.map((time, at) => [time, b.values[at]]));
  const shared = a.times.map((_, at) => at).filter((at) => others.has(a.times![at]));
  return { labels, times: shared.map((at) => a.times![at]), values: shared.map((at) => apply(a.values[at], others.get(a.times![at])!)) };
}
