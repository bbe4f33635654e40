# The example's instantiate message with this net's accounts, and spans of seconds. $accounts: [accounts.json].
($accounts[0] | map({key: .name, value: .address}) | from_entries) as $of
| def numbered($kind): [$of | to_entries[] | select(.key | startswith($kind + "-"))];
  def span($seconds): {seconds: $seconds, blocks: 1};
.instantiate
| .members = [numbered("member")[] | {addr: .value, weight: "10"}]
| .auditors = [numbered("auditor")[] | {addr: .value, organisation: .key, key: null}]
| .guardians = {addrs: [numbered("guardian")[].value], threshold: 2}
| .operators = [numbered("operator")[] | {addr: .value, organisation: .key, component: "oracle-feeder", power: 100}]
| .rules[("routine", "standard", "critical", "constitutional")] |=
    (.deliberation = span(1) | .voting_min = span(1) | .timelock = span(1) | .voting = span(30))
