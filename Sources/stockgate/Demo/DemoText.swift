import OperatorText
import SiteConfiguration

/// What the demonstration says about itself, in both languages.
enum DemoText {
    static func introduction(_ language: Site.Language, directory: String) -> [(Printable, Terminal.Style)] {
        let socket = Printable(escaping: "\(directory)/control.sock")
        let program: Printable = ".build/debug/stockgate"
        switch language {
        case .english:
            return [
                (
                    "Stockgate, demonstration: a tool crib with an RFID gate, a bench where goods are put away, and a tool cabinet.",
                    .heading
                ),
                ("The daemon is the real one; its devices are simulated on pseudo-terminals and read by the real drivers.", .plain),
                ("", .plain), ("Try in another terminal:", .plain),
                ("  export STOCKGATE_SOCKET=" + socket, .good),
                ("  " + program + " watch                                every read, sighting and decision, live", .good),
                ("  " + program + " demo walk --person 1002 TORQUE-01    Han Meimei walks out with the torque wrench", .good),
                ("  " + program + " demo cabinet --person 1001 --take GAUGE-01   Li Lei takes the bore gauge out of the cabinet", .good),
                ("  " + program + " demo days 3                          three days pass at once: what is late is said", .good),
                ("  " + program + " loans                                who has what; also: devices, stock, exceptions, explain 2", .good),
                (
                    "A real reader: put its port into " + Printable(escaping: directory)
                        + "/site.toml, for example port = \"/dev/ttyUSB0\",", .plain
                ),
                (
                    "  and start .build/debug/stockgated --config " + Printable(escaping: directory) + "/site.toml. README.md says more.",
                    .plain
                ),
                ("Ctrl-C ends the demonstration. A crossing is told 2 s after the last read of its tags, and final after 5 s.", .plain),
            ]
        case .chinese:
            return [
                ("Stockgate 演示：一个带 RFID 通道门的工具库，一个上架工作台，和一个工具柜。", .heading),
                ("守护进程是真实的；设备在伪终端上模拟，由真实的驱动读取。", .plain),
                ("", .plain), ("在另一个终端里试试：", .plain),
                ("  export STOCKGATE_SOCKET=" + socket, .good),
                ("  " + program + " watch                                实时查看每次读取、判断和决定", .good),
                ("  " + program + " demo walk --person 1002 TORQUE-01    韩梅梅带着扭力扳手走出去", .good),
                ("  " + program + " demo cabinet --person 1001 --take GAUGE-01   李雷从工具柜里拿走内径量表", .good),
                ("  " + program + " demo days 3                          一下子过三天：看看谁逾期", .good),
                ("  " + program + " loans                                谁借了什么；还有 devices、stock、exceptions、explain 2", .good),
                ("接真实读写器：把它的端口写进 " + Printable(escaping: directory) + "/site.toml，例如 port = \"/dev/ttyUSB0\"，", .plain),
                ("  再启动 .build/debug/stockgated --config " + Printable(escaping: directory) + "/site.toml。详见 README.zh.md。", .plain),
                ("按 Ctrl-C 结束演示。标签最后一次被读到 2 秒后给出判断，5 秒后定案。", .plain),
            ]
        }
    }

    static func farewell(_ language: Site.Language, directory: String) -> [Printable] {
        let folder = Printable(escaping: directory)
        switch language {
        case .english:
            return [
                "The demonstration has ended. Left behind in " + folder + ":",
                "  recordings/   what the devices sent: .build/debug/stockgate replay makes the same events of it",
                "  events.ndjson what was delivered upstream;  state/ the ledger;  stockgated.log the daemon's log",
            ]
        case .chinese:
            return [
                "演示结束。" + folder + " 里留下了：", "  recordings/   设备发来的全部数据：用 .build/debug/stockgate replay 可以重现同样的事件",
                "  events.ndjson 已发往上游的事件；  state/ 台账；  stockgated.log 守护进程日志",
            ]
        }
    }

    static func actNotUnderstood(_ language: Site.Language, number: Int) -> String {
        switch language {
        case .english: "act \(number) is not understood"
        case .chinese: "看不懂第 \(number) 幕（act \(number)）"
        }
    }

    static func daemonEnded(_ language: Site.Language) -> String {
        switch language {
        case .english: "the daemon ended or did not start; this file says why"
        case .chinese: "守护进程已退出或未能启动；原因见此文件"
        }
    }
}
