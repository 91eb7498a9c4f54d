//! A tally as the datums and batches of `PutMetricData`, within its limits.

use jiff::{SignedDuration, Timestamp};

use super::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION, MetricValue, Tally, Unit, from_ordered_bits};
use crate::fleet::MetricNaming;

/// Distinct values in one datum.
const MOST_VALUES: usize = 150;
/// Datums in one call.
const MOST_DATUMS: usize = 1000;
/// Bytes in one call; the limit is 1 MB, of which framing takes a little.
const MOST_BYTES: usize = 900_000;
/// The oldest and the newest time that CloudWatch accepts, from now.
const OLDEST: SignedDuration = SignedDuration::from_hours(-14 * 24);
const NEWEST: SignedDuration = SignedDuration::from_hours(2);

/// One metric of one component in one minute, as CloudWatch takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The published name: the operator's, when `fleet.toml` renames it.
    pub metric: String,
    /// Name and value of each dimension.
    pub dimensions: Vec<(String, String)>,
    /// The start of the minute.
    pub timestamp: Timestamp,
    /// What the values count.
    pub unit: Unit,
    /// Distinct values, ascending; at most 150.
    pub values: Vec<f64>,
    /// How often each of the values was seen.
    pub counts: Vec<f64>,
}

impl Datum {
    /// An upper estimate of the size on the wire (CBOR with its field names).
    fn bytes(&self) -> usize {
        let dimensions: usize =
            self.dimensions.iter().map(|(name, value)| name.len() + value.len() + 24).sum();
        self.metric.len() + dimensions + self.values.len() * 18 + 120
    }
}

/// The datums of a tally, oldest first. A cell with more than 150 distinct values becomes several.
pub fn datums(tally: &Tally, naming: &MetricNaming) -> Vec<Datum> {
    let mut datums = Vec::new();
    for ((minute, endpoint, component), row) in &tally.rows {
        let Ok(timestamp) = Timestamp::from_second(*minute) else { continue };
        let mut dimensions = vec![(ENDPOINT_DIMENSION.to_owned(), endpoint.to_string())];
        if let Some(component) = component {
            dimensions.push((COMPONENT_DIMENSION.to_owned(), component.to_string()));
            dimensions.extend(naming.label(component));
        }
        for cell in &row.cells {
            let pairs: Vec<(&u64, &u32)> = cell.distribution.iter().collect();
            datums.extend(pairs.chunks(MOST_VALUES).map(|pairs| Datum {
                metric: naming.published_name(&cell.metric).to_owned(),
                dimensions: dimensions.clone(),
                timestamp,
                unit: cell.unit,
                values: pairs.iter().map(|(bits, _)| from_ordered_bits(**bits)).collect(),
                counts: pairs.iter().map(|(_, count)| f64::from(**count)).collect(),
            }));
        }
    }
    datums
}

/// Datums by whether CloudWatch still, or already, takes their time.
#[derive(Debug, Default)]
pub struct Dated {
    /// Within two weeks back and two hours ahead.
    pub publishable: Vec<Datum>,
    /// Older or newer: published nowhere, to be counted.
    pub out_of_range: Vec<Datum>,
}

/// Splits by the time that CloudWatch accepts.
pub fn split_by_age(datums: Vec<Datum>, now: Timestamp) -> Dated {
    let (publishable, out_of_range) = datums.into_iter().partition(|datum| {
        let age = datum.timestamp.duration_since(now);
        (OLDEST..=NEWEST).contains(&age)
    });
    Dated { publishable, out_of_range }
}

/// Datums in as few calls as the limits allow.
pub fn batches(datums: Vec<Datum>) -> Vec<Vec<Datum>> {
    let mut batches: Vec<Vec<Datum>> = Vec::new();
    let mut bytes = 0;
    for datum in datums {
        let size = datum.bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST_DATUMS && bytes + size <= MOST_BYTES => {
                bytes += size;
                batch.push(datum);
            }
            _ => {
                bytes = size;
                batches.push(vec![datum]);
            }
        }
    }
    batches
}

/// What `PutMetricData` would refuse in a call, one line each; no emulator checks it.
pub fn check_request(namespace: &str, batch: &[Datum], now: Timestamp) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |is_wrong: bool, what: String| {
        if is_wrong {
            faults.push(what);
        }
    };
    let namespace_length = namespace.chars().count();
    fault(!(1..=255).contains(&namespace_length), format!("namespace has {namespace_length} characters"));
    fault(
        namespace.starts_with(':') || namespace.starts_with("AWS/"),
        format!("namespace {namespace} is reserved"),
    );
    fault(batch.is_empty() || batch.len() > MOST_DATUMS, format!("{} datums", batch.len()));
    let bytes: usize = batch.iter().map(Datum::bytes).sum();
    fault(bytes > 1_000_000, format!("{bytes} bytes"));
    for datum in batch {
        let metric = &datum.metric;
        let age = datum.timestamp.duration_since(now);
        fault(metric.is_empty() || metric.len() > 255, format!("metric name of {} bytes", metric.len()));
        fault(
            !(OLDEST..=NEWEST).contains(&age),
            format!("{metric}: timestamp {} is out of range", datum.timestamp),
        );
        fault(datum.dimensions.len() > 30, format!("{metric}: {} dimensions", datum.dimensions.len()));
        for (name, value) in &datum.dimensions {
            let is_wrong = |text: &str, most| text.trim().is_empty() || text.len() > most || !text.is_ascii();
            fault(
                is_wrong(name, 255) || is_wrong(value, 1024),
                format!("{metric}: dimension {name}={value}"),
            );
        }
        fault(
            datum.values.is_empty()
                || datum.values.len() > MOST_VALUES
                || datum.values.len() != datum.counts.len(),
            format!("{metric}: {} values, {} counts", datum.values.len(), datum.counts.len()),
        );
        let is_bad = |number: &f64| MetricValue::try_from(*number).is_err();
        fault(datum.values.iter().any(is_bad), format!("{metric}: a value is not finite or too large"));
        fault(
            datum.counts.iter().any(|count| !(*count > 0.0 && count.is_finite())),
            format!("{metric}: a bad count"),
        );
    }
    faults
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{QUALITY_NAMESPACE, Subject};
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn subject(component: &str, offset: i64) -> Subject {
        Subject {
            endpoint: "chat".parse().unwrap(),
            component: component.parse().unwrap(),
            at: Timestamp::from_second(NOW + offset).unwrap(),
        }
    }

    #[test]
    fn equal_values_share_an_entry_and_minutes_do_not() {
        let mut tally = Tally::default();
        for (offset, value) in [(0, 1.0), (1, 1.0), (2, 0.5), (100, 1.0)] {
            let value = MetricValue::try_from(value).unwrap();
            tally.row(&subject("a", offset)).add("SafetyScore", Unit::None, value);
        }
        let datums = datums(&tally, &MetricNaming::default());
        assert_eq!(datums.len(), 2);
        assert_eq!(
            (datums[0].values.as_slice(), datums[0].counts.as_slice()),
            ([0.5, 1.0].as_slice(), [1.0, 2.0].as_slice())
        );
        assert_eq!(
            datums[0].dimensions,
            [
                ("EndpointName".to_owned(), "chat".to_owned()),
                ("InferenceComponentName".to_owned(), "a".to_owned())
            ]
        );
    }

    #[test]
    fn the_checker_sees_what_cloudwatch_refuses() {
        let good = Datum {
            metric: "X".to_owned(),
            dimensions: vec![("a".to_owned(), "b".to_owned())],
            timestamp: Timestamp::from_second(NOW).unwrap(),
            unit: Unit::None,
            values: vec![1.0],
            counts: vec![1.0],
        };
        let now = Timestamp::from_second(NOW).unwrap();
        assert_eq!(check_request(QUALITY_NAMESPACE, std::slice::from_ref(&good), now), Vec::<String>::new());
        let wrong = [
            Datum { values: vec![f64::NAN], ..good.clone() },
            Datum { values: vec![1.0; 151], counts: vec![1.0; 151], ..good.clone() },
            Datum { dimensions: vec![("a".to_owned(), " ".to_owned())], ..good.clone() },
            Datum { dimensions: vec![("a".to_owned(), "ü".to_owned())], ..good.clone() },
            Datum { timestamp: Timestamp::from_second(NOW - 15 * 86_400).unwrap(), ..good.clone() },
            Datum { counts: vec![0.0], ..good.clone() },
        ];
        for datum in wrong {
            assert_eq!(
                check_request(QUALITY_NAMESPACE, std::slice::from_ref(&datum), now).len(),
                1,
                "{datum:?}"
            );
        }
        assert_eq!(check_request("AWS/X", &vec![good; 1001], now).len(), 2);
    }

    proptest! {
        #[test]
        fn every_batch_is_legal_and_no_observation_is_lost(
            points in prop::collection::vec((0_u8..4, 0_i64..3 * 3600, 0_u8..3, -1e6..1e6_f64), 1..3000)
        ) {
            let mut tally = Tally::default();
            for (component, offset, metric, value) in &points {
                let value = MetricValue::try_from(*value).unwrap();
                let subject = subject(&format!("c{component}"), -offset);
                tally.row(&subject).add(format!("Metric{metric}"), Unit::None, value);
            }
            let now = Timestamp::from_second(NOW).unwrap();
            let dated = split_by_age(datums(&tally, &MetricNaming::default()), now);
            prop_assert!(dated.out_of_range.is_empty());
            let batches = batches(dated.publishable);
            let mut seen = 0.0;
            for batch in &batches {
                prop_assert_eq!(check_request(QUALITY_NAMESPACE, batch, now), Vec::<String>::new());
                seen += batch.iter().flat_map(|datum| &datum.counts).sum::<f64>();
            }
            #[expect(clippy::cast_precision_loss)]
            let expected = points.len() as f64;
            prop_assert!((seen - expected).abs() < 0.5);
        }
    }
}
