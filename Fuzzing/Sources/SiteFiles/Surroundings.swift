// What the reader of the site file takes from the rest of its target; nothing of it concerns the text of a site file.

func folderEntries(_ path: String) throws -> [String] { [] }

enum WallClock {
    static func isKnown(timeZone: String) -> Bool { !timeZone.isEmpty }
}
