//! What holds for all numbers, items and searches.

use super::tests::{item, world};
use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn numbers_keep_their_value_through_their_text(digits in any::<i64>(), power in -100_i32..100) {
        let number = Number::parse(&format!("{digits}e{power}")).unwrap();
        prop_assert_eq!(Number::parse(&number.to_string()).unwrap(), number);
    }

    #[test]
    fn numbers_are_ordered_and_added_as_integers_are(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
        let of = |n: i64| Number::parse(&n.to_string()).unwrap();
        prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
        prop_assert_eq!(of(a).plus(of(b)).unwrap(), of(a + b));
        prop_assert_eq!(of(a).minus(of(b)).unwrap(), of(a - b));
    }

    #[test]
    fn a_tables_bytes_are_those_of_its_items(writes in proptest::collection::vec((0_u64..6, 0_usize..3000, any::<bool>()), 1..40)) {
        let mut world = world(false);
        let (service, mut cx) = world.dynamodb_cx();
        service.add_active_table(&mut cx, TableSpec::on_demand("t-1", "id")).unwrap();
        for (id, bytes, is_put) in writes {
            let key = item(&[("id", Value::S(id.to_string()))]);
            let change = if is_put {
                let mut whole = key;
                whole.insert("a".into(), Value::S("x".repeat(bytes)));
                Change::Put(whole)
            } else {
                Change::Delete { key }
            };
            service.write(&mut cx, "t-1", &change, None, "PutItem").unwrap();
        }
        let table = service.table("t-1").unwrap();
        prop_assert_eq!(table.bytes, table.items.values().map(value::item_size).sum::<usize>());
    }

    #[test]
    fn segments_of_a_scan_divide_the_table(items in 1_u64..60, segments in 1_u64..7) {
        let mut world = world(false);
        let (service, mut cx) = world.dynamodb_cx();
        service.add_active_table(&mut cx, TableSpec::on_demand("t-1", "id")).unwrap();
        for id in 0..items {
            let put = Change::Put(item(&[("id", Value::S(id.to_string()))]));
            service.write(&mut cx, "t-1", &put, None, "PutItem").unwrap();
        }
        let mut seen = Vec::new();
        for segment in 0..segments {
            let search = Search { table: "t-1".into(), segment: Some((segment, segments)), ..Search::default() };
            seen.extend(service.find(&mut cx, &search).unwrap().items.into_iter().map(|item| item["id"].clone()));
        }
        prop_assert_eq!(seen.len() as u64, items);
        let all: Vec<String> = (0..items).map(|id| id.to_string()).collect();
        prop_assert!(all.iter().all(|id| seen.contains(&Value::text(id))));
    }
}
