// swift-tools-version: 6.2
import PackageDescription

// Imports only go down; docs/architecture.md draws the same rooms and Tests/TidyTests holds
// every `import` to them.

let settings: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil,
    exclude: [String] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path, exclude: exclude,
        swiftSettings: settings)
}

let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let system: [Target] = [
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
    .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    .systemLibrary(name: "CVerifyLibrary"),
]

let ground: [Target] = [
    room("Encoding"),
    room("LedgerCrypto", ["Encoding", "CSodium", "COpenSSL"]),
    room("Merkle", ["Encoding", "LedgerCrypto"]),
]

let ledger: [Target] = [
    room("Ledger", ["Encoding", "LedgerCrypto", "Merkle"]),
    room("Records", ["Encoding", "LedgerCrypto", "Merkle", "Ledger"]),
]

let domain: [Target] = [
    room("Policy", ["Encoding", "LedgerCrypto", "Ledger", "Records"]),
    room("Market", ["Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records", "Policy"]),
]

let cores: [Target] = [
    room("Consensus", ["Encoding", "LedgerCrypto", "Ledger"]),
    room("Mempool", ["LedgerCrypto", "Ledger", deque]),
    room("Execution", ["Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records", "Market"]),
    room(
        "Replica",
        [
            "Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records", "Consensus", "Mempool",
            "Execution",
        ]),
    room("LightClient", ["Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records"]),
]

let inputOutput: [Target] = [
    room("Files"),
    room("SQLite", ["CSQLite"]),
    room(
        "Storage",
        [
            "SQLite", "Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records", "LightClient",
            "Consensus", "Execution", "Replica",
        ]),
    // Not named Network: Hummingbird and AsyncHTTPClient ask `canImport(Network)` and mean Apple's.
    room("Transport", nio + [logging, "Encoding", "LedgerCrypto", "Ledger", "Consensus"]),
]

let drivers: [Target] = [
    room(
        "Node",
        [
            "Files", "Storage", "Transport", "Replica", "Consensus", "Mempool", "Execution",
            "Market", "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding", "LightClient",
            logging, deque,
        ]),
    room(
        "Simulator",
        [
            "Storage", "SQLite", "LightClient", "Replica", "Consensus", "Mempool", "Execution",
            "Market", "Policy", "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding",
        ]),
]

let services: [Target] = [
    room(
        "API",
        [
            "Node", "Client", "Interchange", "Storage", "LightClient", "Market", "Records",
            "Ledger", "Merkle", "LedgerCrypto", "Encoding", logging,
            .product(name: "Hummingbird", package: "hummingbird"),
        ]),
    room(
        "Client",
        [
            "Files", "Market", "Policy", "Records", "Ledger", "LightClient", "Merkle",
            "LedgerCrypto", "Encoding",
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ]),
    room(
        "Sandbox",
        [
            "Client", "LightClient", "Market", "Policy", "Records", "Ledger", "LedgerCrypto",
            "Encoding", "SQLite", logging,
            .product(name: "Hummingbird", package: "hummingbird"),
        ]),
    room("Programs", ["Files", arguments]),
    room(
        "Interchange",
        ["LightClient", "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding"]),
]

let programs: [Target] = [
    program(
        "huijind",
        [
            "Programs", "API", "Node", "Storage", "Replica", "Files", "LedgerCrypto", "Ledger",
            "Encoding",
            logging, arguments,
        ]),
    program(
        "huijin",
        [
            "Programs", "Files", "Client", "Transport", "Interchange", "Market", "Policy",
            "Records",
            "Ledger", "LightClient", "LedgerCrypto", "Encoding", arguments,
            .product(name: "X509", package: "swift-certificates"),
            .product(name: "Crypto", package: "swift-crypto"),
        ]),
    program(
        "huijin-sandboxd",
        [
            "Programs", "Sandbox", "Client", "Records", "Ledger", "LedgerCrypto", "Encoding",
            logging, arguments,
        ]),
    program(
        "huijin-verify",
        ["Files", "LightClient", "Records", "Ledger", "LedgerCrypto", "Encoding"]),
    .target(
        name: "VerifyLibrary",
        dependencies: ["LightClient", "Ledger", "LedgerCrypto", "Encoding", "CVerifyLibrary"],
        exclude: ["huijin_verify.py", "exports.map"], swiftSettings: settings),
    .target(
        name: "VerifyPage", exclude: ["build.py", "check", "page", "wasm"], swiftSettings: settings),
    program("huijin-sim", ["Programs", "Simulator", "Consensus", arguments]),
    // The loop and the changes that make hostile input; no product links it.
    .target(
        name: "FuzzKit", dependencies: ["Encoding", arguments], path: "Benchmarks/fuzz-kit",
        exclude: ["run.sh"],
        swiftSettings: settings),
    program(
        "huijin-fuzz",
        [
            "FuzzKit", "TestLedgers", "Storage", "Consensus", "Encoding", "Ledger",
            "LedgerCrypto", "LightClient", "Market", "Merkle", "Policy", "Records", arguments,
        ],
        path: "Benchmarks/huijin-fuzz", exclude: ["corpus.hex"]),
    // Apart from the former, which is built in a minute without networking and HTTP.
    program(
        "huijin-fuzz-services",
        [
            "FuzzKit", "API", "Client", "Interchange", "Node", "Sandbox", "Transport", "Consensus",
            "LightClient", "Market", "Policy", "Records", "Ledger", "LedgerCrypto", "Encoding",
            logging, arguments,
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "NIOTLS", package: "swift-nio"),
            .product(name: "X509", package: "swift-certificates"),
            .product(name: "Crypto", package: "swift-crypto"),
        ],
        path: "Benchmarks/huijin-fuzz-services"),
    program(
        "huijin-bench",
        [
            logging, "Client", "Transport", "Consensus", "Storage", "SQLite", "Replica",
            "Execution", "Market", "Policy", "TestLedgers", "LightClient", "Records",
            "Ledger", "Merkle", "LedgerCrypto", "Encoding", arguments,
        ] + nio,
        path: "Benchmarks/huijin-bench"),
    program(
        "state-map-bench", ["Storage", "SQLite", "Merkle", "LedgerCrypto"],
        path: "Benchmarks/state-map"),
]

let checks: [Target] = [
    // Ledgers in memory, for tests, fuzzing and measurements; no product links them.
    .target(
        name: "TestLedgers",
        dependencies: [
            "LightClient", "Execution", "Market", "Policy", "Records", "Ledger", "Merkle",
            "LedgerCrypto", "Encoding",
        ],
        path: "Tests/TestLedgers", swiftSettings: settings),
    .target(name: "TestWaiting", path: "Tests/TestWaiting", swiftSettings: settings),
    tests("ConsensusTests", ["Consensus", "Ledger", "LedgerCrypto", "Encoding"]),
    tests("MempoolTests", ["Mempool", "Ledger", "LedgerCrypto", "Encoding"]),
    tests(
        "ReplicaTests",
        [
            "Replica", "Simulator", "Consensus", "Mempool", "Execution", "Market", "Policy",
            "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding",
        ]),
    tests(
        "SimulatorTests",
        ["Simulator", "Storage", "SQLite", "Consensus", "Ledger", "LedgerCrypto"]),
    tests(
        "NodeTests",
        [
            "Node", "Transport", "Storage", "Replica", "Consensus", "Execution", "Market", "Policy",
            "LightClient", "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding", "TestWaiting",
            logging,
            .product(name: "X509", package: "swift-certificates"),
            .product(name: "Crypto", package: "swift-crypto"),
        ]),
    tests(
        "TransportTests",
        nio + [
            .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "X509", package: "swift-certificates"),
            .product(name: "Crypto", package: "swift-crypto"), logging, "Transport", "LedgerCrypto",
            "Encoding", "TestWaiting",
        ]),
    tests(
        "ClientTests",
        [
            "TestLedgers", "Client", "Files", "LightClient", "Market", "Records", "Ledger",
            "LedgerCrypto", "Encoding",
        ]),
    tests(
        "APITests",
        [
            "API", "Files", "Client", "Node", "Transport", "Interchange", "LightClient", "Market",
            "Policy",
            "Records", "Ledger", "LedgerCrypto", "Encoding", "TestWaiting", logging,
            .product(name: "X509", package: "swift-certificates"),
            .product(name: "Crypto", package: "swift-crypto"),
        ]),
    tests(
        "CommandLineTests",
        [
            "huijin", "huijind", "huijin-sandboxd", "huijin-sim", "huijin-verify", "Programs",
            "TestWaiting", "Client", "Interchange", "Market", "Ledger", "LedgerCrypto", "Encoding",
            arguments,
        ]),
    tests("MerkleTests", ["Merkle", "LedgerCrypto", "Encoding"]),
    tests("EncodingTests", ["Encoding"]),
    tests("FuzzKitTests", ["FuzzKit", "Encoding"]),
    tests("RecordsTests", ["Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding"]),
    tests(
        "MarketTests",
        ["Market", "Policy", "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding"]),
    tests(
        "ExecutionTests",
        ["Execution", "Market", "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding"]),
    tests("FilesTests", ["Files"]),
    tests("SQLiteTests", ["SQLite"]),
    tests(
        "StorageTests",
        [
            "Storage", "SQLite", "Replica", "Execution", "Market", "Policy", "Records",
            "LightClient", "Ledger", "Merkle", "LedgerCrypto", "Consensus", "Encoding",
        ]),
    tests(
        "SandboxTests",
        [
            "Sandbox", "huijin-sandboxd", "Client", "Market", "Policy", "Records", "Ledger",
            "LedgerCrypto", "Encoding", "SQLite", "TestWaiting", logging,
        ]),
    tests("TidyTests", []),
    tests(
        "LightClientTests",
        [
            "TestLedgers", "LightClient", "Files", "Interchange", "Execution", "Market", "Policy",
            "Records", "Ledger", "Merkle", "LedgerCrypto", "Encoding", "TestWaiting",
            "huijin-verify",
        ]),
    tests(
        "InterchangeTests",
        [
            "TestLedgers", "Interchange", "LightClient", "Records", "Ledger", "Merkle",
            "LedgerCrypto", "Encoding",
        ]),
    tests("VerifyLibraryTests", ["VerifyLibrary", "CVerifyLibrary", "Encoding"]),
    tests(
        "VerifyPageTests",
        [
            "VerifyPage", "TestLedgers", "LightClient", "Market", "Records", "Ledger",
            "LedgerCrypto", "Encoding",
        ]),
    tests("LedgerTests", ["Ledger", "LedgerCrypto", "Encoding", "Merkle"]),
    tests("PolicyTests", ["Policy", "Ledger", "LedgerCrypto"]),
    tests("LedgerCryptoTests", ["LedgerCrypto", "Encoding", "COpenSSL", "CSodium"]),
]

let package = Package(
    name: "huijin",
    products: [
        .library(name: "huijin_verify", type: .dynamic, targets: ["VerifyLibrary"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: system + ground + ledger + domain + cores + inputOutput + drivers + services
        + programs + checks,
    swiftLanguageModes: [.v6]
)
