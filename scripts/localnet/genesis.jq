# The genesis that `wasmd testnet init-files` made, with this net's accounts and with times for a machine's patience.
# $addresses: accounts to fund; $denom, $coins: with what; $gas: a block's bound.
.consensus.params.block.max_gas = $gas
| .app_state.auth.accounts += [$addresses[] | {
    "@type": "/cosmos.auth.v1beta1.BaseAccount", address: ., pub_key: null, account_number: "0", sequence: "0"
  }]
| .app_state.bank.balances |= map(.coins = ([{denom: $denom, amount: $coins}] + .coins | sort_by(.denom)))
| .app_state.bank.balances += [$addresses[] | {address: ., coins: [{denom: "stake", amount: $coins}, {$denom, amount: $coins}]}]
# Left empty, the supply is the sum of the balances.
| .app_state.bank.supply = []
# Long enough for a vote by hand, short enough for a test that upgrades the chain by its own governance.
| .app_state.gov.params += {
    voting_period: "20s", expedited_voting_period: "4s", max_deposit_period: "20s",
    min_deposit: [{denom: "stake", amount: "1"}], expedited_min_deposit: [{denom: "stake", amount: "2"}]
  }
