import Foundation
import Testing

@testable import Gateway

@Suite("A folder of master data")
struct MasterFolderTests {
    private let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("folder-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    private func put(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }

    /// A file in the place of the folder: then nothing can be moved there, not even by root.
    @Test("What cannot be moved away is dealt with once, whatever became of it; changed, it is looked at anew", arguments: [true, false])
    func stuck(isRefused: Bool) throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let target = isRefused ? MasterFolder.refused : MasterFolder.done
        let reasons = isRefused ? ["line 1: no"] : nil
        try put(target, "in the way")
        try put("items.csv", "id,name\nX-1,\n")
        var folder = MasterFolder(path: path)
        #expect(try folder.look() == [])
        #expect(try folder.look() == ["items.csv"])
        #expect(throws: MasterFolderError.self) { try folder.settle("items.csv", reasons: reasons) }
        for _ in 1...3 {
            #expect(try folder.look() == [])
            #expect(throws: MasterFolderError.self) { try folder.settleUnmoved() }
        }

        try put("items.csv", "id,name\nX-1,mended\n")
        #expect(try folder.look() == [])
        try folder.settleUnmoved()
        #expect(try folder.look() == ["items.csv"])
        #expect(throws: MasterFolderError.self) { try folder.settle("items.csv", reasons: reasons) }

        try FileManager.default.removeItem(atPath: "\(path)/\(target)")
        #expect(try folder.look() == [])
        try folder.settleUnmoved()
        #expect(try String(contentsOfFile: "\(path)/\(target)/items.csv", encoding: .utf8).contains("mended"))
        #expect(FileManager.default.fileExists(atPath: "\(path)/\(target)/items.csv.reasons.txt") == isRefused)
        #expect(try folder.look() == [])
    }
}
