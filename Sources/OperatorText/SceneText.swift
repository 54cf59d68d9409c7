/// What `sim --scenario` and `score` say.
public enum SceneText: String, CaseIterable, Sendable, OperatorSentence {
    case helpScene, helpSceneMore, helpScenario, helpScenarios, helpSceneCapture, helpSceneTruth, helpSceneMaster, helpSceneSite
    case helpSceneStation, helpSceneGate, helpSceneDwell, helpSceneWrong, helpSceneBadges, helpDeviceScenario, helpDeviceSpeed
    case helpScore, helpScoreMore, helpScoreEvents, helpScoreTruth, helpScoreSeed
    case sceneUnknown, sceneNothing, sceneNoGate, sceneGate, sceneDwell, sceneWrong, sceneBadges, sceneNoReader, sceneSpeed
    case sceneDone, sceneCabinet, sceneField, sceneScans
    case scorePairs, scoreNothing, scoreFigure, scoreInterval, scoreHead, scoreValue, scoreRange

    public var forms: (english: String, chinese: String) {
        switch self {
        case .helpScene: ("Play a scene at a simulated gate: a capture and what really happened", "模拟通道门场景，输出录制文件和真实情况")
        case .helpSceneMore:
            (
                "The same scenario and seed give the same bytes. Example: stockgate sim --scenario uturn --seed 7 --capture uturn.capture "
                    + "--truth uturn.truth",
                "相同的场景和种子得到相同的字节。例如：stockgate sim --scenario uturn --seed 7 --capture uturn.capture --truth uturn.truth"
            )
        case .helpScenario: ("What happens; --list shows the scenarios", "场景名称，--list 列出全部场景")
        case .helpScenarios: ("List the scenarios", "列出场景")
        case .helpSceneCapture: ("Write the reads as a capture; - is standard output", "将读取记录写入录制文件，- 为标准输出")
        case .helpSceneTruth: ("Write what really happened, for stockgate score", "写入真实情况，供 stockgate score 使用")
        case .helpSceneMaster: ("Write master data of the tools and people, for stockgate replay", "写入工具和人员主数据，供 stockgate replay 使用")
        case .helpSceneSite: ("Take the antennas from a gate of this site file", "使用此站点配置中通道门的天线")
        case .helpSceneStation: ("Which gate of the site file; else the first", "站点配置中的通道门名称，缺省为第一个")
        case .helpSceneGate: ("Without a site file: angled or pedestal", "无站点配置时：angled 或 pedestal")
        case .helpSceneDwell: ("Milliseconds on each antenna, 5 to 5000", "每根天线停留毫秒数，5 至 5000")
        case .helpSceneWrong: ("Percent of tools whose recorded side is wrong", "记录位置有误的工具百分比")
        case .helpSceneBadges:
            ("How people say who they are: tags, held (before a reader) or none", "人员身份方式：tags（标签胸卡）、held（刷卡）或 none（无）")
        case .helpDeviceScenario:
            ("Read this scene of sim --scenario, with the same seed", "读取 sim --scenario 的此场景，种子相同")
        case .helpDeviceSpeed: ("With --scenario: so many times as fast, 0.01 to 1000", "与 --scenario 合用：播放倍速，0.01 至 1000")
        case .helpScore: ("Compare events or sightings with what really happened", "将事件或目击记录与真实情况比较")
        case .helpScoreMore:
            (
                "--events and --truth may be repeated in pairs; intervals are drawn over the pairs. Example: stockgate score --events "
                    + "events.ndjson --truth uturn.truth",
                "--events 与 --truth 可成对重复，置信区间按对抽样。例如：stockgate score --events events.ndjson --truth uturn.truth"
            )
        case .helpScoreEvents:
            ("Events, or sightings of replay --sightings --json, one a line", "事件，或 replay --sightings --json 的输出，每行一条")
        case .helpScoreTruth: ("What sim --truth wrote", "sim --truth 写出的文件")
        case .helpScoreSeed: ("Makes the random numbers of the intervals", "置信区间的随机数种子")
        case .sceneUnknown: ("no such scenario: {name}. Known are: {names}", "没有此场景：{name}。可用场景：{names}")
        case .sceneNothing: ("say with --capture or --truth what to write", "请用 --capture 或 --truth 指定输出")
        case .sceneNoGate: ("the site file has no gate {name}", "站点配置中没有通道门 {name}")
        case .sceneGate: ("--gate takes angled or pedestal", "--gate 只能是 angled 或 pedestal")
        case .sceneDwell: ("--dwell takes 5 to 5000", "--dwell 取值 5 至 5000")
        case .sceneWrong: ("--wrong takes 0 to 100", "--wrong 取值 0 至 100")
        case .sceneBadges: ("--badges takes tags, held or none", "--badges 只能是 tags、held 或 none")
        case .sceneNoReader: ("scenes are read by: {kinds}", "可读取场景的设备：{kinds}")
        case .sceneSpeed: ("--speed takes 0.01 to 1000", "--speed 取值 0.01 至 1000")
        case .sceneDone:
            (
                "{scenario}, seed {seed}: {reads} reads, {tools} tools, {crossings} crossings, {readable} of them readable",
                "{scenario}，种子 {seed}：{reads} 次读取，{tools} 件工具，{crossings} 次通过，其中 {readable} 次可读"
            )
        case .sceneCabinet:
            (
                "{scenario}, seed {seed}: {reads} reads, {tools} tools, {closes} closes",
                "{scenario}，种子 {seed}：{reads} 次读取，{tools} 件工具，{closes} 次关门"
            )
        case .sceneField:
            (
                "{scenario}, seed {seed}: {reads} reads, {presences} times a tag was in the field",
                "{scenario}，种子 {seed}：{reads} 次读取，标签 {presences} 次处于读取区"
            )
        case .sceneScans:
            (
                "{scenario}, seed {seed}: {reads} decodes, {scans} scans that were meant",
                "{scenario}，种子 {seed}：{reads} 次解码，其中有意扫描 {scans} 次"
            )
        case .scorePairs: ("--events and --truth must be given equally often", "--events 与 --truth 的个数必须相同")
        case .scoreNothing: ("--events and --truth are missing", "缺少 --events 和 --truth")
        case .scoreFigure: ("Figure", "指标")
        case .scoreInterval: ("95 % interval (seed {seed})", "95 % 置信区间（种子 {seed}）")
        case .scoreHead: ("{runs} scenes, {crossings} crossings, {readable} readable", "{runs} 个场景，{crossings} 次通过，{readable} 次可读")
        case .scoreValue: ("Value", "值")
        case .scoreRange: ("{lower} to {upper}", "{lower} 至 {upper}")
        }
    }
}
