// swift-tools-version: 6.2
// Random bytes against everything that outside input reaches, guided by coverage (libFuzzer). `make fuzz` runs it. The sources are those
// of the product, linked into this package, because they must be compiled for the purpose.

import Foundation
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"]),
]

/// Of the target Gateway, what reads the site file.
let siteFiles = try FileManager.default.contentsOfDirectory(atPath: "\(Context.packageDirectory)/Sources/SiteFiles/Gateway")
    .filter { $0 == "SiteFile.swift" || $0.hasPrefix("SiteCollector") }.sorted()

let package = Package(
    name: "stockgate-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0")],
    targets: [
        .target(name: "Identifiers", swiftSettings: settings),
        .target(name: "Readings", dependencies: ["Identifiers"], swiftSettings: settings),
        .target(name: "Decoding", dependencies: ["Readings", "Identifiers"], swiftSettings: settings),
        .target(name: "SiteConfiguration", dependencies: ["Readings", "Identifiers"], swiftSettings: settings),
        .target(name: "Profiles", dependencies: ["Decoding", "TOMLKit"], swiftSettings: settings),
        .target(name: "Ledger", dependencies: ["SiteConfiguration"], swiftSettings: settings),
        // What reads the site file: some files of two large targets, and in place of swift-nio the one module that they name.
        .target(name: "CNIOLinux"),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq"),
        .target(
            name: "Upstream", dependencies: ["CPostgres"], sources: ["PostgreSQL/PostgreSQLParameters.swift", "PrintableText.swift"],
            swiftSettings: settings),
        .target(
            name: "SiteFiles", dependencies: ["Profiles", "Ledger", "Upstream", "CNIOLinux"],
            sources: ["Surroundings.swift"] + siteFiles.map { "Gateway/\($0)" }, swiftSettings: settings),
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "stockgate-fuzz", dependencies: ["CLibFuzzer", "Profiles", "Decoding", "SiteFiles", "SiteConfiguration", "Identifiers", "Ledger", "Readings"],
            path: "Sources/StockgateFuzz", swiftSettings: settings, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ]
)
