/// What the tools around devices say: `probe`, `profile new`, `profile list` and `sim device`.
public enum ToolText: String, CaseIterable, Sendable, OperatorSentence {
    // Help.
    case helpProbe, helpProbeMore, helpPort, helpProfileFolders, helpListenOnly, helpSeconds
    case helpProfileNew, helpProfileNewMore, helpFrom, helpID, helpFolder, helpCaptureDevice
    case helpProfileList, helpMarkdown, helpProfileRules
    case helpSim, helpSimDevice, helpSimDeviceMore, helpKind, helpKinds, helpPTY, helpLink, helpListen, helpCall
    case helpTagFile, helpTagOption, helpRate, helpSeed, helpScanText

    // Probing.
    case probePort, probeListening, probeNothing, probeHeard, probeErrors, probeRefused, probeAsking, probeNoAnswer, probeAnswer
    case probeOther, probeFound, probeWhyAnswered, probeWhyFrames, probeWhyText, probeWhyMatched, probeAlso, probeSite, probeElsewhere
    case probeNotFound, probeSilent, probeNotUnderstood, probeBusy, probeHeldBy, probeBusyUnknown, probePermission, probeMissing, probePorts
    case probeNoPorts, probeBraille, probeModem, probeWeak, probeOtherSetting, probeNotSerial, probeNoProfiles

    // New profiles.
    case newDevices, newNothing, newRanking, newFit, newWritten, newNext, newExists, newID, newFile, newBad

    // Simulated devices.
    case simReady, simProfile, simForms, simConnected, simDisconnected, simAsked, simAskedTimes, simObeyed, simNotUnderstood, simCannot
    case simNoKind, simBadAddress, simBadTag, simOneReach, headModels, headConnection, headSupport, headSummary, headReach, headNotices

    public var forms: (english: String, chinese: String) {
        switch self {
        case .helpProbe: ("Find out what is on a serial port; needs no daemon", "识别串口上的设备，无需守护进程")
        case .helpProbeMore:
            (
                "Listens at all usual settings first: hold badges and tags before the device, or scan codes. Then asks the harmless question of each "
                    + "profile, nothing else. Example: stockgate probe /dev/ttyUSB0 --seconds 20",
                "先以所有常用设置监听：请在此期间刷卡、放置标签或扫码。然后只发送各设备档案中无害的询问。例如：stockgate probe /dev/ttyUSB0 --seconds 20"
            )
        case .helpPort: ("The device node, for example /dev/ttyUSB0", "设备节点，例如 /dev/ttyUSB0")
        case .helpProfileFolders: ("A folder of profiles, repeatable; else the installed ones", "设备档案目录，可重复；缺省用已安装的")
        case .helpListenOnly: ("Send nothing", "只监听，不发送")
        case .helpSeconds: ("How long to listen, over all settings; 0 to 3600", "监听总秒数，0 至 3600")
        case .helpProfileNew: ("Begin a profile from a capture", "根据录制文件新建设备档案")
        case .helpProfileNewMore:
            (
                "Example: stockgate profile new --from gate.capture --id acme/a-100 --output DeviceProfiles",
                "例如：stockgate profile new --from gate.capture --id acme/a-100 --output DeviceProfiles"
            )
        case .helpFrom: ("The capture of the device", "设备的录制文件")
        case .helpID: ("Id of the new profile", "新设备档案的 id")
        case .helpFolder: ("The folder of profiles to write into", "写入的设备档案目录")
        case .helpCaptureDevice: ("Name of the device, where the capture has several", "录制文件含多个设备时，指定设备名称")
        case .helpProfileList: ("List device profiles", "列出设备档案")
        case .helpMarkdown: ("Print docs/devices.md", "输出 docs/devices.md")
        case .helpProfileRules: ("Print udev rules for the devices of the profiles", "输出设备档案对应的 udev 规则")
        case .helpSim: ("Simulated devices", "模拟设备")
        case .helpSimDevice: ("Run a simulated device until Ctrl-C", "运行模拟设备，按 Ctrl-C 结束")
        case .helpSimDeviceMore:
            (
                "Shows what the gateway asks of it, and obeys lines on standard input: tag EPC [ANTENNA], remove EPC, scan TEXT, badge NUMBER, "
                    + "input LINE on|off, stall, go, garbage, restart. Example: stockgate sim device a0 --tag 3476451FD400000000000001",
                "显示网关发来的指令，并执行标准输入中的命令：tag EPC [ANTENNA]、remove EPC、scan TEXT、badge NUMBER、input LINE on|off、"
                    + "stall、go、garbage、restart。例如：stockgate sim device a0 --tag 3476451FD400000000000001"
            )
        case .helpKind: ("What to simulate; --list shows the kinds", "模拟的设备类型，--list 列出全部类型")
        case .helpKinds: ("List the kinds of devices", "列出设备类型")
        case .helpPTY: ("On a pseudo-terminal, as serial devices are anyway", "使用伪终端（串口设备的默认方式）")
        case .helpLink: ("A symbolic link to the pseudo-terminal, so that its name stays", "指向伪终端的符号链接，名称保持不变")
        case .helpListen: ("On a TCP port; port 0 takes a free one", "使用 TCP 端口，0 表示任选空闲端口")
        case .helpCall: ("Calls a gateway that listens there, again and again", "反复主动连接在此地址监听的网关")
        case .helpTagFile: ("A file with one EPC a line", "每行一个 EPC 的文件")
        case .helpTagOption: ("A tag before the antennas, repeatable", "天线前的标签，可重复")
        case .helpRate: ("Reads a second over all tags, 1 to 20000", "每秒读取次数，1 至 20000")
        case .helpSeed: ("Makes the random numbers", "随机数种子")
        case .helpScanText: ("Scan this once a gateway listens, repeatable", "网关连接后扫描此条码，可重复")

        case .probePort: ("Port {port}: {what}", "端口 {port}：{what}")
        case .probeListening: ("Listening at {line} for {seconds} s …", "正在以 {line} 监听 {seconds} 秒…")
        case .probeNothing: ("  nothing came", "  无数据")
        case .probeHeard: ("  {count} bytes: {bytes}", "  {count} 字节：{bytes}")
        case .probeErrors: ("  the driver counted {count} errors of speed or parity", "  驱动报告 {count} 次速率或校验错误")
        case .probeRefused: ("  the driver does not do this setting", "  驱动不支持此设置")
        case .probeAsking: ("Asking at {line}: {bytes} ({steps})", "以 {line} 询问：{bytes}（{steps}）")
        case .probeNoAnswer: ("  no answer", "  无应答")
        case .probeAnswer: ("  answer: {bytes}", "  应答：{bytes}")
        case .probeOther: ("  not the expected answer: {bytes}", "  应答不符：{bytes}")
        case .probeFound: ("Found: {profile} ({name}), {line}", "已识别：{profile}（{name}），{line}")
        case .probeWhyAnswered: ("  It gave the answer that this protocol gives.", "  设备给出了该协议特有的应答。")
        case .probeWhyFrames:
            ("  {count} frames with a good check were understood, {rejects} rejected.", "  解析出 {count} 个校验正确的帧，拒绝 {rejects} 个。")
        case .probeWhyText: ("  {count} lines of readable text came; such text has no check.", "  收到 {count} 行可读文本；此类文本没有校验。")
        case .probeWhyMatched: ("  The USB properties of the port name this device.", "  端口的 USB 属性与此设备相符。")
        case .probeAlso: ("  As good or nearly so: {profiles}", "  同样或几乎同样符合：{profiles}")
        case .probeSite: ("For the site file:", "写入站点文件：")
        case .probeElsewhere:
            ("The line is not set as the profile says: {line}. Set the device, or copy the profile.", "线路设置与设备档案不同：{line}。请调整设备或复制并修改设备档案。")
        case .probeNotFound: ("Nothing that a profile knows was found on {port}.", "在 {port} 上未找到任何设备档案所描述的设备。")
        case .probeSilent:
            (
                "The device said nothing. Is it powered, are RX and TX crossed, is it RS-232 and not RS-485? Hold badges, tags or codes before it while "
                    + "listening; --seconds listens longer.",
                "设备没有发送任何数据。请检查电源、RX/TX 是否交叉、接口是否为 RS-232 而非 RS-485。监听时请刷卡、放置标签或扫码；--seconds 可延长监听时间。"
            )
        case .probeNotUnderstood:
            (
                "It talks, but no profile understands it. Name the nearest profile in the site file, record it with \"stockgate record\", then "
                    + "\"stockgate profile new --from FILE --id VENDOR/MODEL\".",
                "设备有数据，但没有设备档案能解析。请在站点文件中指定最接近的设备档案，用 stockgate record 录制，再运行 "
                    + "stockgate profile new --from FILE --id VENDOR/MODEL。"
            )
        case .probeBusy: ("{port} is in use.", "{port} 正被占用。")
        case .probeHeldBy: ("It is open in {program}, process {process}.", "占用程序：{program}，进程 {process}。")
        case .probeBusyUnknown: ("Whose it is, only root sees: run it with sudo.", "仅 root 可查看占用程序，请用 sudo 运行。")
        case .probePermission:
            (
                "You may not open {port}. Join its group, {group}: sudo usermod -aG {group} $USER, then log in again.",
                "无权打开 {port}。请加入其用户组 {group}：sudo usermod -aG {group} $USER，然后重新登录。"
            )
        case .probeMissing: ("There is no {port}. Is the device plugged in?", "{port} 不存在。设备是否已插好？")
        case .probePorts: ("Serial ports of this machine: {ports}", "本机串口：{ports}")
        case .probeNoPorts:
            (
                "This machine has no USB serial port now; \"journalctl -k\" tells what was plugged in.",
                "本机当前没有 USB 串口；可用 journalctl -k 查看插入记录。"
            )
        case .probeBraille:
            (
                "brltty runs here and takes some USB serial chips for Braille displays, so that their ports disappear: sudo systemctl mask --now brltty-udev brltty",
                "本机运行着 brltty，它会把某些 USB 串口芯片当作盲文显示器，使端口消失：sudo systemctl mask --now brltty-udev brltty"
            )
        case .probeModem:
            (
                "ModemManager runs here and writes to new serial ports; the udev rules of Stockgate keep it away.",
                "本机运行着 ModemManager，它会向新串口写入数据；Stockgate 的 udev 规则可阻止它。"
            )
        case .probeWeak:
            (
                "Nearest: {profile}, {points} of 100 points. Try more badges, tags or codes.",
                "最接近：{profile}，{points} 分（满分 100）。请再多刷卡、放标签或扫码。"
            )
        case .probeOtherSetting:
            ("Something came at {line}: the device may be set to a speed that no profile names.", "在 {line} 收到数据：设备的速率可能不在任何设备档案之中。")
        case .probeNotSerial:
            (
                "{port} is no serial port; \"stockgate profile explain {port}\" helps with keyboards and HID devices.",
                "{port} 不是串口；键盘和 HID 设备请用 stockgate profile explain {port}。"
            )

        case .probeNoProfiles:
            ("No profiles are in {folders}; --profile-dir names another folder.", "{folders} 中没有设备档案；请用 --profile-dir 指定目录。")

        case .newDevices: ("The capture has several devices; choose one with --device: {devices}", "录制文件含多个设备，请用 --device 选择：{devices}")
        case .newNothing: ("The capture has no bytes and no keys of {device}.", "录制文件中没有 {device} 的数据。")
        case .newRanking: ("Protocols, the best first:", "协议，按符合程度排列：")
        case .newFit:
            (
                "  {protocol}: {points} of 100 points, {readings} readings, {frames} other frames, {rejects} rejects",
                "  {protocol}：{points} 分（满分 100），读数 {readings}，其他帧 {frames}，拒绝 {rejects}"
            )
        case .newWritten: ("Wrote {folder}", "已写入 {folder}")
        case .newNext:
            (
                "Now compare each line of {file} with what was held before the device, remove its first line, and run \"stockgate profile check {folder}\".",
                "请将 {file} 的每一行与实际操作核对，删除其首行，然后运行 stockgate profile check {folder}。"
            )
        case .newExists: ("{folder} is there already; nothing was written.", "{folder} 已存在，未写入任何内容。")
        case .newID: ("an id is vendor/model in lower-case letters, digits and -, not {text}", "id 的形式为 厂商/型号，仅限小写字母、数字和 -，而不是 {text}")
        case .newFile: ("{file} cannot be written: {reason}", "无法写入 {file}：{reason}")
        case .newBad: ("The new profile has problems; correct them in the file:", "新设备档案存在问题，请在文件中修正：")

        case .simReady: ("{kind} on {address}. Ctrl-C ends it.", "{kind} 位于 {address}，按 Ctrl-C 结束。")
        case .simProfile:
            ("For the site file: profile = \"{profile}\", {key} = \"{address}\"", "写入站点文件：profile = \"{profile}\"，{key} = \"{address}\"")
        case .simForms: ("Lines that it obeys: {forms}", "可执行的命令：{forms}")
        case .simConnected: ("connected", "已连接")
        case .simDisconnected: ("disconnected", "已断开")
        case .simAsked: ("asked: {what}", "收到：{what}")
        case .simAskedTimes: ("asked: {what}, {count} times", "收到：{what}，共 {count} 次")
        case .simObeyed: ("done: {line}", "已执行：{line}")
        case .simNotUnderstood: ("not understood: {line}. Known are: {forms}", "无法识别：{line}。可用命令：{forms}")
        case .simCannot: ("a device of this kind cannot do that: {line}", "此类设备不支持：{line}")
        case .simNoKind: ("no such kind: {kind}. Known are: {kinds}", "没有此类型：{kind}。可用类型：{kinds}")
        case .simBadAddress: ("not host:port: {text}", "不是 主机:端口 的形式：{text}")
        case .simBadTag: ("not an EPC: {text}", "不是 EPC：{text}")
        case .simOneReach: ("--pty, --listen and --call exclude each other", "--pty、--listen 与 --call 不能同时使用")
        case .headModels: ("Models", "型号")
        case .headConnection: ("Connection", "连接")
        case .headSupport: ("Support", "支持级别")
        case .headSummary: ("What", "说明")
        case .headReach: ("On", "连接方式")
        case .headNotices: ("Lines", "命令")
        }
    }
}
