"""What the real service answers, byte for byte where it matters, as tables; sent as raw HTTP.

Sources: the AWS Kinesis API reference (members and their bounds) and answers of the real service that the tests of
kinesalite (MIT) recorded: messages, their order of precedence, shapes of errors before an operation is known;
later_recordings: what those of LocalStack and moto recorded since.
Each table's module says what its rows mean; each has `run(cases, wire, …)`.
"""
