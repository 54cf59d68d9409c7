import Readings
import SiteConfiguration

/// What presence says of one tag, on one line: when, where, what, how sure, and why.
public enum SightingLine {
    /// - Parameter sighting: an object of `stockgate replay --sightings --json`.
    public static func of(_ sighting: JSON, _ language: Site.Language) -> Printable {
        let parts = [
            Text.sightingTimes(
                language, ["first": seconds(sighting["first"]), "last": seconds(sighting["last"])]),
            Printable(escaping: sighting["station"]?.string ?? "", limit: 64),
            WatchLine.of(.object((sighting.object ?? [:]).merging(["kind": "sighting"]) { $1 }), language) ?? "",
            EventStory.plain(sighting["evidence"] ?? .null, language),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }

    /// Nanoseconds since the capture began, in seconds with milliseconds.
    private static func seconds(_ value: JSON?) -> Printable {
        Printable(escaping: JSON.decimal((value?.integer ?? 0) / 1_000_000, scale: 1_000).canonicalText, limit: 24)
    }
}
