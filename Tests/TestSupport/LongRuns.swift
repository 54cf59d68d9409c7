import Foundation

/// Whether what takes minutes is asked for: `make long`.
public enum LongRuns {
    public static let areAsked = ProcessInfo.processInfo.environment["STOCKGATE_LONG"] == "1"
}
