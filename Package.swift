// swift-tools-version: 6.2
// One target is one folder with one paragraph in docs/architecture.md.
// `Tests/ArchitectureTests` reads the sources and fails on an import that this list does not allow.

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
/// A lock that the thread sanitizer sees, unlike the standard library's.
let nioLocks: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A pure target: the standard library only, no package, no clock, no input or output.
func pure(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func effectful(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "stockgate",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "stockgated", targets: ["stockgated"]),
        .executable(name: "stockgate", targets: ["stockgate"]),
        // For Benchmarks.
        .library(name: "StockgateEngine", targets: ["Engine", "Decoding", "SiteConfiguration", "Readings", "Identifiers"]),
        .library(name: "StockgateStore", targets: ["Store", "Reports", "Ledger", "Readings", "Identifiers"]),
        .library(name: "StockgateDeviceSimulators", targets: ["DeviceSimulators", "Devices", "Simulation", "Readings", "Identifiers"]),
        // For Accuracy.
        .library(
            name: "StockgateSimulation", targets: ["Simulation", "Stations", "SiteConfiguration", "Presence", "Readings", "Identifiers"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Pure.
        pure("Identifiers"),
        pure("Readings", ["Identifiers"]),
        pure("Decoding", ["Readings"]),
        pure("SiteConfiguration", ["Readings"]),
        pure("Presence", ["Readings"]),
        pure("Stations", ["Presence", "SiteConfiguration"]),
        pure("Ledger", ["Readings", "SiteConfiguration"]),
        pure("Simulation", ["Presence", "SiteConfiguration"]),
        pure("OperatorText", ["Ledger"]),
        pure("Reports", ["Ledger", "OperatorText"]),
        pure("Engine", ["Decoding", "Stations", "Ledger"]),

        // Libraries of the system.
        system("CUdev", pkgConfig: "libudev", apt: "libudev-dev"),
        system("CModbus", pkgConfig: "libmodbus", apt: "libmodbus-dev"),
        system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CMosquitto", pkgConfig: "libmosquitto", apt: "libmosquitto-dev"),
        system("CPostgres", pkgConfig: "libpq", apt: "libpq-dev"),
        .target(name: "CLinux"),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CTLS", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),

        // With effects.
        effectful("Profiles", ["Decoding", "TOMLKit"]),
        effectful("Store", ["Ledger", grdb, .product(name: "GRDBSQLite", package: "GRDB.swift"), "CCrypto", "CSQLite"]),
        effectful("Devices", ["Readings", "CLinux", "CTLS", "CUdev", "CModbus", nioCore, nioPosix, nioLocks]),
        effectful("Probing", ["Profiles", "Devices"]),
        effectful("MasterImport", ["Ledger"]),
        effectful("HTTPClient", ["CCurl"]),
        effectful("Upstream", ["Ledger", "HTTPClient", "CCrypto", "CTLS", "CMosquitto", "CPostgres"]),
        effectful(
            "Control",
            [
                "Ledger", "HTTPClient", "CLinux", logging, nioCore,
                .product(name: "Hummingbird", package: "hummingbird"), lifecycle,
            ]),
        effectful("DeviceSimulators", ["Simulation", "Devices", "Decoding", "CLinux", nioLocks]),
        effectful(
            "Gateway",
            [
                "Engine", "Profiles", "Store", "Devices", "Upstream", "MasterImport", "Control", "Reports", "DeviceSimulators", logging,
                lifecycle, signals, nioCore, nioPosix, "CLinux",
            ]),
        .executableTarget(name: "stockgated", dependencies: ["Gateway", arguments], swiftSettings: settings),
        .executableTarget(
            name: "stockgate",
            dependencies: [
                "Gateway", "Control", "Store", "MasterImport", "OperatorText", "Reports", "DeviceSimulators", "Presence", "Simulation",
                "Probing",
                arguments,
            ],
            swiftSettings: settings),

        // Tests.
        tests("ArchitectureTests", []),
        tests("DocumentationTests", ["Ledger", "Gateway", "Profiles", "Readings", "Identifiers", "SiteConfiguration"]),
        tests("IdentifiersTests", ["Identifiers"]),
        tests("ReadingsTests", ["Readings"]),
        tests("DecodingTests", ["Decoding"]),
        tests("ProfilesTests", ["Profiles"]),
        tests("ProbingTests", ["Probing", "DeviceSimulators"]),
        tests("PresenceTests", ["Presence", "Simulation"]),
        tests("StationsTests", ["Stations", "Simulation"]),
        tests("LedgerTests", ["Ledger"]),
        tests("EngineTests", ["Engine"]),
        tests("OperatorTextTests", ["OperatorText", "Ledger"]),
        .testTarget(
            name: "ReportsTests",
            dependencies: ["Reports", "Store", "OperatorText", "Ledger", "Readings", "SiteConfiguration", "TestSupport"],
            exclude: ["Examples", "check_report.py"], swiftSettings: settings),
        tests("MasterImportTests", ["MasterImport"]),
        tests("StoreTests", ["Store", "StoreWriterProbe", grdb]),
        tests("UpstreamTests", ["Upstream", "HTTPClient"]),
        tests("CrashTests", ["Store", "StoreWriterProbe", "Upstream", "Ledger", "Readings", "SiteConfiguration", "CFaultVFS", grdb]),
        tests("GatewayTests", ["Gateway", "Profiles", "OperatorText", "Ledger"]),
        tests("SimulationTests", ["DeviceSimulators", "Simulation", "Presence", "Decoding", "Profiles"]),
        tests("DevicesTests", ["Devices", "DeviceSimulators", "device-probe", "USBBench", "CLinux", nioCore, nioPosix]),
        tests("ModbusTests", ["Devices", "DeviceSimulators", "Decoding", "Profiles", nioCore, nioPosix, nioLocks]),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Control", "ControlTestSupport", "HTTPClient", "CLinux", logging, lifecycle,
                .product(name: "Hummingbird", package: "hummingbird"),
            ], exclude: ["check_api.py"], swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests", dependencies: ["stockgate", "ControlTestSupport", "Control", "Identifiers", "Ledger", lifecycle],
            exclude: ["Snapshots"],
            swiftSettings: settings),
        tests(
            "SystemTests",
            [
                "stockgated", "stockgate", "USBBench", "DeviceSimulators", "Devices", "Simulation", "Control", "HTTPClient", "Ledger",
                "Readings", "Identifiers",
            ]),

        // Programs and the mock USB bus that tests drive.
        .executableTarget(
            name: "device-probe", dependencies: ["Devices", nioCore, nioPosix], path: "Tests/System/DeviceProbe", swiftSettings: settings),
        .executableTarget(
            name: "StoreWriterProbe", dependencies: ["Store"], path: "Tests/System/StoreWriterProbe", swiftSettings: settings),
        .target(
            name: "ControlTestSupport", dependencies: ["Control", "Reports", logging, lifecycle], path: "Tests/ControlTestSupport",
            swiftSettings: settings),
        .target(name: "CFaultVFS", path: "Tests/System/FaultVFS", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        .target(name: "USBBench", path: "Tests/System/USBBench", swiftSettings: settings),
    ]
)
