// A made-up day of a fleet: what CloudWatch would answer to every question of the dashboards, for
// pictures that show something. The fleet is one of tests/scenarios; the course of the day is below.
//
//   node day.mjs SCENARIO.toml DASHBOARDS SERIES.json
//
// The file that it writes, which may as well come from a real CloudWatch:
//
//   { about, is_made_up, from, to, endpoint, series: [{ namespace, metric, dimensions, statistic,
//     period, times, values }] }
//
// from, to and times are seconds since 1970, the period is in seconds. A series has a point where
// CloudWatch has one, named by the beginning of its period: what counted nothing has none.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";

const [scenarioFile, dashboards, output] = process.argv.slice(2);
const NOW = Date.UTC(2026, 10, 24, 15, 55) / 1000;
const HOURS = 24;
const MINUTE = 60;
const HOUR = 3600;
const METER = 300;

const scenario = parse(readFileSync(scenarioFile, "utf8"));
const endpoint = scenario.endpoint[0];
const variant = endpoint.variant?.[0] ?? {};
const pools = variant.pools.map((pool) => ({
  ...scenario.instance.find((one) => one.type === pool.type),
  count: pool.count,
}));
const instances = pools.flatMap((pool, at) =>
  Array.from({ length: pool.count }, (_, number) => ({ ...pool, id: `i-0a${at}${number}5e7d31` })),
);
const bill = instances.reduce((sum, one) => sum + (one.per_hour ?? 0), 0);
const gpus = instances.reduce((sum, one) => sum + one.gpus, 0);

if (held(endpoint.component) > gpus) {
  console.error(`${scenarioFile}: the components of ${endpoint.name} hold more than its ${gpus} GPUs`);
  process.exit(1);
}

// --- The course of the day -----------------------------------------------------------------------

/** Hours before the end. */
const ago = (time) => (NOW - time) / HOUR;
const between = (time, from, to) => ago(time) <= from && ago(time) > to;

/** Office hours are busy, nights are not. */
const daylight = (time) => 0.25 + 0.75 * Math.max(0, Math.sin((((time % 86_400) / HOUR - 5) / 16) * Math.PI));

/** The first component has a rush; the second one has a copy more in the day, and a bad prompt. */
const rush = (at, time) => (at === 0 && between(time, 2.4, 1.9) ? 2.2 : 1);
const copies = (component, at, time) =>
  (component.copies ?? 1) + (at === 1 && freeOf(component) && between(time, 7, 1.2) ? 1 : 0);
const freeOf = (component) => gpus - held(endpoint.component) >= ofCopy(component);
const isBadPrompt = (at, time) => at === 1 && between(time, 8, 3.4);
/** capacity-meter cannot read the enhanced metrics for a while. */
const isBlind = (time) => between(time, 4.2, 3.9);

/** GPUs of a copy. A slice such as mig-3g.40gb is three sevenths of one. */
function ofCopy(component) {
  const [, sevenths] = /mig-(\d)g\./.exec(component.partition ?? "") ?? [];
  return (component.accelerators ?? 0) * (sevenths ? Number(sevenths) / 7 : 1);
}

function held(components) {
  return components.reduce((sum, one) => sum + ofCopy(one) * (one.copies ?? 1), 0);
}

// --- Chance, the same at every run ---------------------------------------------------------------

function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const roll = dice(7);
const normal = () => Math.sqrt(-2 * Math.log(1 - roll())) * Math.cos(2 * Math.PI * roll());
const about = (mean, spread) => mean * (1 + spread * normal());
const within = (low, value, high) => Math.min(high, Math.max(low, value));
const happens = (times, chance) => Array.from({ length: times }, () => roll() < chance).filter(Boolean).length;

// --- What is published ---------------------------------------------------------------------------

/** Samples by series: { namespace, metric, dimensions, samples: [[time, value], ...] }. */
const published = new Map();

function publish(namespace, metric, dimensions, time, ...values) {
  const key = JSON.stringify([namespace, metric, dimensions]);
  if (!published.has(key)) published.set(key, { namespace, metric, dimensions, samples: [] });
  for (const value of values) published.get(key).samples.push([time, value]);
}

const INVOCATIONS = "AWS/SageMaker";
const COMPONENTS = "/aws/sagemaker/InferenceComponents";
const ENDPOINTS = "/aws/sagemaker/Endpoints";
const CAPACITY = "/aws/sagemaker/inference-capacity/";
const QUALITY = "/aws/sagemaker/inference-quality/";
const VARIANT = variant.name ?? "AllTraffic";
const GPU = endpoint.gpu_dimension ?? "GpuId";

/** The copies of all components at a time, each on the first instance that has room. */
function placed(time) {
  const room = instances.map((one) => one.gpus);
  return endpoint.component.flatMap((component, at) => {
    if (component.base) return [];
    return Array.from({ length: copies(component, at, time) }, (_, number) => {
      const needed = ofCopy(component);
      const on = Math.max(0, room.findIndex((free) => free >= needed));
      const first = Math.floor(instances[on].gpus - room[on]);
      room[on] -= needed;
      const container = `${component.name.replace(/[^a-z0-9]/g, "").slice(0, 4)}${number}c81f`;
      return { component, at, instance: instances[on].id, container, held: needed, gpus: Array.from({ length: Math.ceil(needed) }, (_, one) => first + one) };
    });
  });
}

/** Requests of a component in the minute before `time`, for what is computed of many minutes. */
const requests = new Map();

function serve(time) {
  const all = placed(time);
  endpoint.component.forEach((component, at) => {
    const own = { InferenceComponentName: component.name };
    const whole = { EndpointName: endpoint.name, VariantName: VARIANT };
    const running = copies(component, at, time);
    const usual = component.invocations_per_minute ?? 0;
    const count = Math.round(within(0, about(usual * daylight(time) * rush(at, time), 0.09), 10_000));
    requests.set(`${at} ${time}`, count);
    const load = (count * (component.copies ?? 1)) / (usual || 1) / running;
    const typical = (component.latency_ms ?? 500) * 1000 * (0.75 + 0.5 * load ** 2);
    const latencies = Array.from({ length: count }, () => typical * Math.exp(0.55 * normal()));
    for (const of of [own, whole]) publish(INVOCATIONS, "Invocations", of, time, ...latencies.map(() => 1));
    for (const of of [own, whole]) publish(INVOCATIONS, "ModelLatency", of, time, ...latencies);
    publish(INVOCATIONS, "OverheadLatency", own, time, ...latencies.map(() => 3200 * Math.exp(0.4 * normal()) * (1 + 3 * Math.max(0, load - 1.3))));
    if (at === 0) publish(INVOCATIONS, "FirstChunkLatency", own, time, ...latencies.map((latency) => latency * 0.14 * Math.exp(0.25 * normal())));
    const failing = load > 1.6 ? 0.035 : 0.0006;
    const errors = latencies.map(() => Number(roll() < failing));
    for (const of of [own, whole]) publish(INVOCATIONS, "Invocation5XXErrors", of, time, ...errors);
    publish(INVOCATIONS, "Invocation4XXErrors", own, time, ...latencies.map(() => Number(roll() < 0.004)));
    publish(INVOCATIONS, "InvocationModelErrors", own, time, ...errors);
    publish(INVOCATIONS, "MidStreamErrors", own, time, ...latencies.map(() => Number(at === 0 && roll() < 0.0008)));
    const inFlight = (count / MINUTE / running) * (typical / 1e6) * 1.4;
    publish(INVOCATIONS, "ConcurrentRequestsPerCopy", own, time, Math.max(1, Math.round(about(inFlight * 2.2, 0.15))));

    const mine = all.filter((one) => one.component === component);
    const compute = within(1, (component.gpu_percent ?? 60) * (0.25 + 0.75 * load), 100);
    const usedGpus = [];
    mine.forEach((copy, number) => {
      const place = { EndpointName: endpoint.name, VariantName: VARIANT, InferenceComponentName: component.name, InstanceId: copy.instance, ContainerId: copy.container };
      const share = Math.round(within(0, about(count / mine.length, 0.12), 10_000));
      publish(INVOCATIONS, "Invocations", place, time, ...Array.from({ length: share }, () => 1));
      copy.gpus.forEach((gpu) => {
        const chip = { ...place, [GPU]: String(gpu) };
        const busy = within(0, about(compute * (1 - 0.06 * number), 0.05), 100);
        const full = within(0, about(component.gpu_memory_percent ?? 80, 0.004), 100);
        publish(COMPONENTS, "GPUUtilizationNormalized", chip, time, busy);
        publish(COMPONENTS, "GPUMemoryUtilizationNormalized", chip, time, full);
        usedGpus.push([busy, full]);
      });
    });
    publish(COMPONENTS, "GPUUtilizationNormalized", own, time, ...usedGpus.map(([busy]) => busy));
    publish(COMPONENTS, "GPUMemoryUtilizationNormalized", own, time, ...usedGpus.map(([, full]) => full));
    publish(COMPONENTS, "CPUUtilizationNormalized", own, time, within(0, about((component.cpu_percent ?? 20) * (0.5 + 0.6 * load), 0.08), 100));
    publish(COMPONENTS, "MemoryUtilizationNormalized", own, time, within(0, about(component.memory_percent ?? 40, 0.01), 100));
  });
  const reserved = (of, whole) => {
    const sum = all.reduce((total, one) => total + of(one.component), 0);
    return (100 * sum) / instances.reduce((total, one) => total + whole(one), 0);
  };
  const place = { EndpointName: endpoint.name, VariantName: VARIANT };
  if (gpus > 0) publish(ENDPOINTS, "GPUReservation", place, time, reserved(ofCopy, (one) => one.gpus));
  publish(ENDPOINTS, "CPUReservation", place, time, reserved((one) => one.cores ?? 1, (one) => one.vcpus));
  publish(ENDPOINTS, "MemoryReservation", place, time, reserved((one) => one.memory_mb ?? 4096, (one) => one.memory_gib * 1024));
}

const TOKENS = 640;

function meter(time) {
  const whole = { EndpointName: endpoint.name };
  const say = (metric, value) => publish(CAPACITY, metric, whole, time, value);
  say("Instances", instances.length);
  say("TotalGpus", gpus);
  say("CostPerHour", bill);
  say("PriceAgeDays", 12 + Math.floor((time - NOW) / 86_400 + HOURS / 24));
  for (const condition of ["TopologyMismatch", "PriceMissing", "InstanceTypeUnknown", "PriceOfOtherRegion", "GpuShared"]) say(condition, 0);
  say("MeterBlind", Number(isBlind(time)));
  if (isBlind(time)) return;
  const all = placed(time);
  const price = new Map(instances.map((one) => [one.id, one.gpus > 0 ? (one.per_hour ?? 0) / one.gpus : 0]));
  let usedAll = 0;
  let costAll = 0;
  endpoint.component.forEach((component, at) => {
    if (component.base) return;
    const mine = all.filter((one) => one.component === component);
    const own = { EndpointName: endpoint.name, InferenceComponentName: component.name };
    const used = mine.reduce((sum, one) => sum + one.held, 0);
    const cost = mine.reduce((sum, one) => sum + one.held * price.get(one.instance), 0);
    let count = 0;
    for (let minute = 0; minute < METER / MINUTE; minute += 1) count += requests.get(`${at} ${time - minute * MINUTE}`) ?? 0;
    const anHour = (count * HOUR) / METER;
    usedAll += used;
    costAll += cost;
    publish(CAPACITY, "Copies", own, time, mine.length);
    publish(CAPACITY, "UsedGpus", own, time, used);
    publish(CAPACITY, "CostPerHour", own, time, cost);
    if (anHour > 0 && cost > 0) {
      publish(CAPACITY, "CostPerThousandInvocations", own, time, (cost / anHour) * 1e3);
      publish(CAPACITY, "CostPerMillionTokens", own, time, (cost / anHour / about(TOKENS * (at === 0 ? 1.6 : 1), 0.04)) * 1e6);
    }
  });
  say("UsedGpus", usedAll);
  say("FreeGpus", gpus - usedAll);
  say("IdleCostPerHour", bill - costAll);
}

const RATE = 0.05;
const CAP_AN_HOUR = 200;
/** Scales of the shipped rubric have the levels 0 to 5. */
const level = (mean) => within(0, Math.round((mean + 0.12 * normal()) * 5), 5) / 5;

const judgedInHour = new Map();

function judge(time) {
  endpoint.component.forEach((component, at) => {
    const own = { EndpointName: endpoint.name, InferenceComponentName: component.name };
    const say = (metric, ...values) => publish(QUALITY, metric, own, time, ...values);
    const count = (metric, number) => number > 0 && say(metric, number);
    const records = requests.get(`${at} ${time}`);
    const bad = isBadPrompt(at, time);
    const refused = happens(records, bad ? 0.06 : 0.012);
    const empty = happens(records, 0.002);
    const failed = happens(records, 0.0008);
    count("Records", records);
    count("Refusals", refused);
    count("EmptyReplies", empty);
    count("ErrorReplies", failed);
    count("TruncatedReplies", happens(records, at === 0 ? 0.018 : 0.006));
    count("RepetitionLoops", happens(records, at === 1 ? 0.0015 : 0.0002));
    count("PersonalDataReplies", happens(records, 0.0004));
    if (at === 1 && time === NOW - 5.4 * HOUR) say("PromptLeaks", 1);
    if (at === 0 && time === NOW - 9 * HOUR) say("SkippedInvalidPayload", 3);
    if (at === 1 && time === NOW - 20 * HOUR) say("SkippedTruncatedLine", 1);
    count("SkippedNoOutputText", happens(records, 0.0003));
    const selected = happens(records - empty - failed, RATE);
    count("SamplesSelected", selected);
    const hour = `${at} ${Math.floor(time / HOUR)}`;
    for (let sample = 0; sample < selected; sample += 1) {
      if ((judgedInHour.get(hour) ?? 0) >= CAP_AN_HOUR) {
        say("SamplesOverCap", 1);
        continue;
      }
      judgedInHour.set(hour, (judgedInHour.get(hour) ?? 0) + 1);
      const fate = roll();
      const isThrottled = between(time, 2.4, 1.9) && fate < 0.2;
      const outcome = isThrottled ? "JudgeThrottled" : fate < 0.004 ? "JudgeRefused" : fate < 0.009 ? "JudgeMalformed" : "SamplesScored";
      say(outcome, 1);
      if (isThrottled) continue;
      const input = Math.round(about(1450, 0.2));
      const cached = roll() < 0.9 ? 1100 : 0;
      const written = Math.round(about(95, 0.15));
      say("JudgeInputTokens", input);
      say("JudgeCachedTokens", cached);
      say("JudgeOutputTokens", written);
      say("JudgeCostUsd", (0.06 * (input - cached) + 0.015 * cached + 0.24 * written) / 1e6);
      say("EvaluationLatency", 780 * Math.exp(0.35 * normal()));
      if (outcome !== "SamplesScored") continue;
      say("AnswerCharacters", Math.max(20, about(at === 0 ? 940 : bad ? 380 : 610, 0.4)));
      if (roll() < 0.01) say("InputTruncated", 1);
      const safety = level(at === 0 ? 1.08 : bad ? 0.98 : 1.06);
      const relevance = level(at === 0 ? 1.0 : bad ? 0.66 : 0.94);
      const tone = level(at === 0 ? 1.02 : bad ? 0.78 : 0.96);
      say("SafetyScore", safety);
      say("RelevanceScore", relevance);
      say("ProfessionalToneScore", tone);
      const mean = (3 * safety + 2 * relevance + tone) / 6;
      say("CompositeQualityScore", safety < 0.5 ? Math.min(mean, 0.2) : mean);
    }
  });
}

/** Of the days before, what panels with a longer range of their own show: what the judge cost. */
function judgeEarlier(hour) {
  endpoint.component.forEach((component, at) => {
    const isWeekend = [0, 6].includes(new Date(hour * 1000).getUTCDay());
    const asked = (component.invocations_per_minute ?? 0) * 60 * daylight(hour) * RATE * (isWeekend ? 0.45 : 1);
    const own = { EndpointName: endpoint.name, InferenceComponentName: component.name };
    if (asked > 1) publish(QUALITY, "JudgeCostUsd", own, hour, Math.min(CAP_AN_HOUR, about(asked, 0.1)) * 0.0000613);
  });
}

const DAYS = 14;
const BEGIN = NOW - HOURS * HOUR;
for (let hour = NOW - DAYS * 24 * HOUR; hour < BEGIN; hour += HOUR) judgeEarlier(hour);
for (let time = BEGIN; time < NOW; time += MINUTE) {
  serve(time);
  judge(time);
  if (time % METER === 0) meter(time);
}

// --- What CloudWatch makes of it -----------------------------------------------------------------

const sum = (values) => values.reduce((total, value) => total + value, 0);

function computed(statistic, values) {
  switch (statistic) {
    case "Average": return sum(values) / values.length;
    case "Sum": return sum(values);
    case "SampleCount": return values.length;
    case "Minimum": return values.reduce((least, value) => Math.min(least, value));
    case "Maximum": return values.reduce((most, value) => Math.max(most, value));
  }
  const share = Number(statistic.slice(1)) / 100;
  const sorted = values.toSorted((one, other) => one - other);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at % 1);
}

function answer(series, statistic, period) {
  const buckets = new Map();
  for (const [time, value] of series.samples) {
    // Periods are counted from the beginning of what is asked for, to the minute.
    const start = Math.floor((time - NOW) / period) * period + NOW;
    if (!buckets.has(start)) buckets.set(start, []);
    buckets.get(start).push(value);
  }
  const times = [...buckets.keys()];
  const values = times.map((time) => Number(computed(statistic, buckets.get(time)).toPrecision(6)));
  const { namespace, metric, dimensions } = series;
  return { namespace, metric, dimensions, statistic, period, times, values };
}

const asked = new Map();
for (const name of readdirSync(dashboards).filter((file) => file.endsWith(".json"))) {
  const { panels, templating } = JSON.parse(readFileSync(join(dashboards, name), "utf8"));
  if (!panels || !templating) continue;
  for (const target of panels.flatMap((panel) => panel.targets ?? [])) {
    if (!target.metricName) continue;
    const names = Object.keys(target.dimensions).toSorted().join();
    asked.set(`${target.namespace} ${target.metricName} ${names} ${target.statistic} ${target.period}`, target);
  }
}

const series = [...asked.values()].flatMap((target) => {
  const names = Object.keys(target.dimensions).toSorted().join();
  return [...published.values()]
    .filter((one) => one.namespace === target.namespace && one.metric === target.metricName)
    .filter((one) => one.samples.length > 0 && Object.keys(one.dimensions).toSorted().join() === names)
    .map((one) => answer(one, target.statistic, Number(target.period)));
});

writeFileSync(output, JSON.stringify({
  about: `a made-up day of the fleet in ${scenarioFile}`,
  is_made_up: true,
  from: NOW - HOURS * HOUR,
  to: NOW,
  endpoint: endpoint.name,
  series,
}));
