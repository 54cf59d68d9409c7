// swift-tools-version: 6.2
// How right the product's decisions are, beside other methods. Measured beside the product, never shipped with it. `make accuracy`
// runs it.

import PackageDescription

let package = Package(
    name: "stockgate-accuracy",
    dependencies: [.package(name: "stockgate", path: "..")],
    targets: [
        .executableTarget(
            name: "stockgate-accuracy", dependencies: [.product(name: "StockgateSimulation", package: "stockgate")],
            path: "Sources/StockgateAccuracy",
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
                .treatAllWarnings(as: .error),
            ])
    ]
)
