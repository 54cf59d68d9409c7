/// What `stockgate gate tune` says.
public enum WalkText: String, CaseIterable, Sendable, OperatorSentence {
    case helpGate, helpTune, helpTuneMore, helpTuneGate, helpTuneTag, helpTuneWalks, helpTuneFolder, helpTuneYes

    case start, begin, task, out, `in`, turnRound, standNear, enter, go, waiting, right, wrong, nothing, again, tag, decided
    case passedOut, passedIn, uncertain, none

    case headAntenna, headSide, headReads, headStrongest, headNear, headReturn, headBias
    case good, advice, silent, sidesSwapped, sidesAlike, fewReads, slowReturn, nearIsStrong, falseCrossing, missedCrossing
    case noGate, noAntennas, badWalks, busy, settings, ask, written, notWritten, reload, kept, aborted

    public var forms: (english: String, chinese: String) {
        switch self {
        case .helpGate: ("Set up RFID gates", "调试 RFID 通道门")
        case .helpTune: ("Walk through a gate with a tag and see how well it is read", "携带标签走过通道门，检查读取效果")
        case .helpTuneMore:
            (
                "Ten walks: out and in, turning round, standing near. The station is in testing meanwhile, so nothing is recorded. "
                    + "Example: stockgate gate tune gate",
                "共十次：走出、走入、中途折返、在旁停留。期间站点处于测试模式，不产生记录。例如：stockgate gate tune gate"
            )
        case .helpTuneGate: ("Name of the gate", "通道门名称")
        case .helpTuneTag: ("EPC of the test tag; else the first new one that is read", "测试标签的 EPC；缺省为首个新读到的标签")
        case .helpTuneWalks:
            ("Other walks than the ten: out, in, turn_round, stand_near, with commas", "自定义步骤，用逗号分隔：out、in、turn_round、stand_near")
        case .helpTuneFolder: ("Folder of drop-ins for the settings", "写入设置的目录")
        case .helpTuneYes: ("Write the settings without asking", "不询问，直接写入设置")
        case .start:
            (
                "{gate} is in testing now: nothing is recorded until this ends. Take one tag, as a tool carries it; leave other tags away.",
                "{gate} 现处于测试模式，结束前不产生记录。请只携带一个测试标签，按工具的实际方式放置。"
            )
        case .begin: ("Walk {number} of {count}: {task}", "第 {number}/{count} 步：{task}")
        case .task: ("{task}", "{task}")
        case .out: ("go OUT through the gate and three metres on", "向外走过通道门，再走三米")
        case .in: ("come IN through the gate and three metres on", "向内走过通道门，再走三米")
        case .turnRound: ("from inside, go to the middle of the gate, turn round and go back", "从内侧走到门中间，转身返回")
        case .standNear: ("stand two metres inside the gate for ten seconds, then go away from it", "在门内两米处停留十秒，然后离开")
        case .enter: ("Press Enter, then walk.", "按回车后开始行走。")
        case .go: ("Go. Press Enter when you are done and nothing happens here.", "请开始。走完后如无反应，请按回车。")
        case .waiting: ("{count} reads, waiting for the decision …", "已读取 {count} 次，等待判定…")
        case .right: ("right: {decision}", "正确：{decision}")
        case .wrong: ("not right: {decision}", "不正确：{decision}")
        case .nothing: ("not one read", "未读到标签")
        case .again: ("Enter: go on; r: make this walk again; q: end", "回车：继续；r：重走此步；q：结束")
        case .tag: ("The test tag is {tag}.", "测试标签：{tag}。")
        case .decided: ("{count} reads in {seconds} s", "{seconds} 秒内读取 {count} 次")
        case .passedOut: ("went out", "走出")
        case .passedIn: ("came in", "走入")
        case .uncertain: ("uncertain", "不确定")
        case .none: ("did not go through", "未通过")
        case .headAntenna: ("antenna", "天线")
        case .headSide: ("side", "侧")
        case .headReads: ("reads", "读取次数")
        case .headStrongest: ("strongest", "最强")
        case .headNear: ("standing near", "旁边停留")
        case .headReturn: ("comes back after", "轮询间隔")
        case .headBias: ("against the mean", "相对均值")
        case .good: ("The gate is good: {right} of {count} walks decided right, nothing to move.", "通道门良好：{count} 次中 {right} 次判定正确，无需调整。")
        case .advice: ("{right} of {count} walks were decided right. To do:", "{count} 次中 {right} 次判定正确。需要处理：")
        case .silent:
            ("{antenna} reads nothing: look at its cable and port, and whether the reader uses it", "{antenna} 没有读取：检查馈线、端口以及读写器是否启用该天线")
        case .sidesSwapped:
            ("the sides are the wrong way round: swap inside and outside in the site file", "内外侧颠倒：请在站点文件中交换 inside 与 outside")
        case .sidesAlike:
            (
                "both sides see a walk at the same time: turn the antennas 30° away from the gate, or move them apart to 1.2 m",
                "两侧几乎同时读到：请将天线向外转 30°，或将两侧间距拉开到 1.2 米"
            )
        case .fewReads:
            ("{antenna} has only {count} reads in a walk: more power, or turn it toward the way", "{antenna} 每次仅读取 {count} 次：提高功率或转向通道")
        case .slowReturn:
            (
                "{antenna} comes back after {time} ms only, a walker makes half a metre in 300: fewer antennas, or a faster mode of the reader",
                "{antenna} 每 {time} 毫秒才轮询一次（300 毫秒内人已走半米）：减少天线或使用更快的读取模式"
            )
        case .nearIsStrong:
            (
                "who stands near is read almost as strongly as who goes through: less power, or turn the antennas away from there",
                "旁边停留者的信号几乎与通过者一样强：降低功率或将天线转离该处"
            )
        case .falseCrossing:
            ("who did not go through was taken for going through: move the antennas away from where people stand", "未通过却被判为通过：请让天线远离人员停留处")
        case .missedCrossing: ("a walk through the gate was not decided: see the antennas with few reads above", "有一次通过未能判定：请查看上面读取次数少的天线")
        case .noGate: ("There is no gate {gate}. Gates: {gates}", "没有通道门 {gate}。现有：{gates}")
        case .noAntennas: ("{gate} has no antennas.", "{gate} 没有天线。")
        case .badWalks: ("{walks}: walks are out, in, turn_round and stand_near.", "{walks}：步骤只能是 out、in、turn_round、stand_near。")
        case .busy:
            ("{gate} is {mode}; resume it first: stockgate station resume {gate}", "{gate} 处于 {mode}；请先恢复：stockgate station resume {gate}")
        case .settings: ("Settings for {gate}:", "{gate} 的设置：")
        case .ask: ("Write them to {file}? [y/N]", "写入 {file}？[y/N]")
        case .written: ("Written: {file}", "已写入：{file}")
        case .notWritten:
            ("{file} could not be written: {reason}. Put the lines above there as root.", "无法写入 {file}：{reason}。请以 root 身份将以上内容写入。")
        case .reload:
            (
                "Now: stockgate config check {site} && systemctl reload stockgated",
                "接着运行：stockgate config check {site} && systemctl reload stockgated"
            )
        case .kept: ("Nothing was written.", "未写入任何内容。")
        case .aborted: ("Ended before the last walk; nothing was changed.", "未完成全部步骤；未作任何更改。")
        }
    }
}
