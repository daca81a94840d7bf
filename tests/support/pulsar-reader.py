"""Reads a topic with Pulsar's own Python client:
pulsar-reader.py URL TOPIC SUBSCRIPTION COUNT TIMEOUT_SECONDS REST_SECONDS.

Prints one JSON object for each message as it comes, from the earliest that the subscription has not had, of all
partitions, and acknowledges it. Ends with 1 where COUNT messages do not come in time, and with 0 after them; where
REST_SECONDS is not 0, not before nothing more has come for so long.
"""

import json
import sys
import time

import pulsar


def main() -> int:
    url, topic, subscription, count, timeout_seconds, rest_seconds = sys.argv[1:7]
    rest_ms = int(float(rest_seconds) * 1000)
    until = time.monotonic() + float(timeout_seconds)
    client = pulsar.Client(
        url,
        operation_timeout_seconds=max(1, int(float(timeout_seconds))),
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error),
    )
    consumer = client.subscribe(
        topic,
        subscription,
        consumer_type=pulsar.ConsumerType.Failover,
        initial_position=pulsar.InitialPosition.Earliest,
    )
    read = 0
    while read < int(count) or rest_ms > 0:
        left_ms = int((until - time.monotonic()) * 1000)
        try:
            if left_ms <= 0:
                raise pulsar.Timeout("the time is over")
            message = consumer.receive(timeout_millis=left_ms if read < int(count) else min(left_ms, rest_ms))
        except pulsar.Timeout:
            if read >= int(count):
                break
            print(f"{read} of {count} messages came within {timeout_seconds} s", file=sys.stderr)
            return 1
        consumer.acknowledge(message)
        read += 1
        print(
            json.dumps(
                {
                    "topic": message.topic_name(),
                    "partition": message.message_id().partition(),
                    "key": message.partition_key(),
                    "payload": message.data().decode("utf-8"),
                    "properties": message.properties(),
                    "publishedAtMs": message.publish_timestamp(),
                }
            ),
            flush=True,
        )
    client.close()
    return 0


sys.exit(main())
