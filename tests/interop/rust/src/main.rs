// The AWS SDK for Rust against ENDPOINT: a line for each case, then "N passed, N failed, N skipped".
use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_kinesis::error::DisplayErrorContext;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    ConsumerStatus, PutRecordsRequestEntry, ShardIteratorType, StartingPosition, StreamStatus,
};
use aws_sdk_kinesis::Client;

/// A record that was acknowledged: its sequence number, as text of that many digits so that it sorts as a number, and its data.
type Numbered = (usize, String, String);
type Outcome = Result<(), Box<dyn Error>>;

#[derive(Default)]
struct Cases {
    passed: u32,
    failed: u32,
}

impl Cases {
    async fn check(&mut self, name: &str, body: impl Future<Output = Outcome>) {
        match body.await {
            Ok(()) => {
                self.passed += 1;
                println!("ok    Rust: {name}");
            }
            Err(error) => {
                self.failed += 1;
                println!("FAIL  Rust: {name}: {}", DisplayErrorContext(&*error));
            }
        }
    }
}

fn require(holds: bool, what: impl std::fmt::Debug) -> Outcome {
    if holds { Ok(()) } else { Err(format!("{what:?}").into()) }
}

async fn wait_active(client: &Client, stream: &str) -> Outcome {
    for _ in 0..100 {
        let answer = client.describe_stream_summary().stream_name(stream).send().await?;
        if answer.stream_description_summary().is_some_and(|s| s.stream_status() == &StreamStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("not ACTIVE within 10 s".into())
}

/// Puts `data`, and adds what was acknowledged to `put`: by shard, by sequence number.
async fn put(client: &Client, stream: &str, data: Vec<String>, put: &mut BTreeMap<String, Vec<Numbered>>) -> Outcome {
    let entries = data
        .iter()
        .map(|text| PutRecordsRequestEntry::builder().partition_key(text).data(Blob::new(text.as_bytes())).build())
        .collect::<Result<Vec<_>, _>>()?;
    let answer = client.put_records().stream_name(stream).set_records(Some(entries)).send().await?;
    require(answer.failed_record_count().unwrap_or(0) == 0, &answer)?;
    for (text, record) in data.into_iter().zip(answer.records()) {
        let number = record.sequence_number().ok_or("no sequence number")?;
        let shard = put.entry(record.shard_id().ok_or("no shard")?.to_string()).or_default();
        shard.push((number.len(), number.to_string(), text));
    }
    Ok(())
}

fn texts(mut records: Vec<Numbered>) -> Vec<String> {
    records.sort();
    records.into_iter().map(|(_, _, text)| text).collect()
}

async fn read_shard(client: &Client, stream: &str, shard: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let at = client.get_shard_iterator().stream_name(stream).shard_id(shard)
        .shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
    let mut iterator = at.shard_iterator().map(str::to_string);
    let mut found = Vec::new();
    while let Some(here) = iterator {
        let page = client.get_records().shard_iterator(here).send().await?;
        for record in page.records() {
            found.push(String::from_utf8(record.data().as_ref().to_vec())?);
        }
        if page.records().is_empty() && page.millis_behind_latest() == Some(0) {
            break;
        }
        iterator = page.next_shard_iterator().map(str::to_string);
    }
    Ok(found)
}

/// Reads a shard by its subscription until it ends or, where it is open, `wanted` records are there; and the children told of.
async fn subscribe(client: &Client, consumer: &str, shard: &str, wanted: usize) -> Result<(Vec<String>, Vec<String>), Box<dyn Error>> {
    let start = StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build()?;
    let mut answer = client.subscribe_to_shard().consumer_arn(consumer).shard_id(shard).starting_position(start).send().await?;
    let (mut found, mut children) = (Vec::new(), Vec::new());
    while let Some(event) = answer.event_stream.recv().await? {
        let event = event.as_subscribe_to_shard_event().map_err(|other| format!("{other:?}"))?;
        for record in event.records() {
            found.push(String::from_utf8(record.data().as_ref().to_vec())?);
        }
        children.extend(event.child_shards().iter().map(|child| child.shard_id().to_string()));
        if !children.is_empty() || found.len() >= wanted {
            break;
        }
    }
    Ok((found, children))
}

async fn registered(client: &Client, stream: &str) -> Result<String, Box<dyn Error>> {
    let summary = client.describe_stream_summary().stream_name(stream).send().await?;
    let arn = summary.stream_description_summary().ok_or("no summary")?.stream_arn().to_string();
    let consumer = client.register_stream_consumer().stream_arn(arn).consumer_name("rust").send().await?;
    let arn = consumer.consumer().ok_or("no consumer")?.consumer_arn().to_string();
    for _ in 0..100 {
        let answer = client.describe_stream_consumer().consumer_arn(&arn).send().await?;
        if answer.consumer_description().is_some_and(|c| c.consumer_status() == &ConsumerStatus::Active) {
            return Ok(arn);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the consumer is not ACTIVE within 10 s".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).ok_or("endpoint?")?;
    let settings = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await;
    let client = Client::new(&settings);
    let stream = format!("rust-{:x}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let mut acknowledged = BTreeMap::new();
    let mut cases = Cases::default();

    cases.check("create, wait, summary", async {
        client.create_stream().stream_name(&stream).shard_count(2).send().await?;
        wait_active(&client, &stream).await
    }).await;
    cases.check("put_records and get_records, each shard in order", async {
        for batch in 0..10 {
            put(&client, &stream, (0..50).map(|i| format!("{batch}-{i}")).collect(), &mut acknowledged).await?;
        }
        require(acknowledged.len() == 2, "records in both shards")?;
        for (shard, records) in &acknowledged {
            let read = read_shard(&client, &stream, shard).await?;
            require(read == texts(records.clone()), (shard, read.len(), records.len()))?;
        }
        Ok(())
    }).await;
    cases.check("errors have their own types", async {
        let error = client.describe_stream().stream_name("nowhere").send().await.err().ok_or("no error")?.into_service_error();
        require(error.is_resource_not_found_exception(), &error)
    }).await;
    cases.check("subscribe_to_shard: every record in order, a split shard to its end, and then its children", async {
        let consumer = registered(&client, &stream).await?;
        client.split_shard().stream_name(&stream).shard_to_split("shardId-000000000000")
            .new_starting_hash_key((1u128 << 126).to_string()).send().await?;
        wait_active(&client, &stream).await?;
        put(&client, &stream, (0..50).map(|i| format!("after-{i}")).collect(), &mut acknowledged).await?;
        let mut to_read = VecDeque::from(["shardId-000000000000".to_string(), "shardId-000000000001".to_string()]);
        let mut seen = BTreeMap::new();
        while let Some(shard) = to_read.pop_front() {
            let wanted = texts(acknowledged.get(&shard).cloned().unwrap_or_default());
            // Of the shard that ended, its end is waited for.
            let enough = if shard.ends_with("0000") { usize::MAX } else { wanted.len() };
            let (found, children) = tokio::time::timeout(
                Duration::from_secs(20), subscribe(&client, &consumer, &shard, enough)).await??;
            require(found == wanted, (&shard, found.len(), wanted.len()))?;
            to_read.extend(children);
            seen.insert(shard, found);
        }
        require(seen.len() == 4 && seen.keys().eq(acknowledged.keys()), seen.keys())
    }).await;
    cases.check("delete", async {
        client.delete_stream().stream_name(&stream).enforce_consumer_deletion(true).send().await?;
        Ok(())
    }).await;
    println!("{} passed, {} failed, 0 skipped", cases.passed, cases.failed);
    std::process::exit(if cases.failed > 0 { 1 } else { 0 });
}
