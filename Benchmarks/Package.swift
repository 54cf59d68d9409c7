// swift-tools-version: 6.2
// Measured beside the product, never shipped with it. `make bench` runs it.

import PackageDescription

let package = Package(
    name: "stockgate-benchmarks",
    dependencies: [.package(name: "stockgate", path: "..")],
    targets: [
        // The peer: what a careful C programmer would write for the same work. -O2 is the release default of SwiftPM for C.
        .target(name: "CPeer"),
        .executableTarget(
            name: "stockgate-bench",
            dependencies: [
                "CPeer", .product(name: "StockgateEngine", package: "stockgate"),
                .product(name: "StockgateSimulation", package: "stockgate"),
            ],
            path: "Sources/StockgateBench"),
        .target(name: "CStorePeer", linkerSettings: [.linkedLibrary("sqlite3")]),
        .executableTarget(
            name: "stockgate-store-bench", dependencies: ["CStorePeer", .product(name: "StockgateStore", package: "stockgate")],
            path: "Sources/StockgateStoreBench"),
        .executableTarget(
            name: "stockgate-report-bench", dependencies: [.product(name: "StockgateStore", package: "stockgate")],
            path: "Sources/StockgateReportBench"),
        // Decisions at a gate and reports with a year of loans in the store; at the unmodified daemon too.
        .executableTarget(
            name: "stockgate-gate-bench",
            dependencies: [
                "CStorePeer", .product(name: "StockgateEngine", package: "stockgate"),
                .product(name: "StockgateStore", package: "stockgate"),
                .product(name: "StockgateDeviceSimulators", package: "stockgate"),
            ],
            path: "Sources/StockgateGateBench"),
        // Simulated readers on pseudo-terminals and a bare read loop, against the unmodified daemon.
        .target(name: "CSoak"),
        .executableTarget(name: "stockgate-soak", dependencies: ["CSoak"], path: "Sources/StockgateSoak"),
    ]
)
