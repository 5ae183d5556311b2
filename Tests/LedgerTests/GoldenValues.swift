/// Of the fixture in suite `ed25519SHA256`; docs/wire-format.md tells what each is the digest of.
let goldenValues = [
    "chain": "7e03dbe4df4b5626185bb74052a7672d1b1c8f9737e067c40c6fc34a135d3994",
    "header": "e513ba2ebce56077e31509445d1bb39cfcbc4ec03e06c8fec839cc8a412453a3",
    "transaction id": "87b26aa8b8406935c10f13b7b0e9956d6996f89855963c103e79cb7b570637f3",
    "envelope": "f60a30137943728374750a30ac328b3e93ddcaf72755cde464ebac655bf5a62b",
    "finalize": "6a8958e237abf5b80b32a96187c20f24533b747b88481f8341d8f94c3f8a6ed5"
        + "fec40664cf8d54a405c9659a26638d22f8c49c41fa50129972f04beac5f3a107",
    "entry leaf": "6eb782de94f4d51e51d99d7d6b8acc97dca206a411f0225a13bd43d93e2b3b08",
]

/// Of a genesis with a recovery rule and a recovery of its block 7, in the same suite.
let goldenRecoveryValues = [
    "chain": "37a24245f70d8aa3924a0aecde58af8597c76ccf7a6999bb13d40ff3354da292",
    "signature": "55db4bebb566c5cae796c8da84a5270a5219e8b44e4986bbfe17ff830c922e98",
    "recovery": "523227969737f58095054d0642d5b6cb18563583e2c3e8cd792e47d3429575af",
]
