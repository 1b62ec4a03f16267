"""StreamVault: stakes become shares when a round is rolled; shares also move to other chains by bridge."""
