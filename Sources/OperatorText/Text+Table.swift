extension Text: OperatorSentence {
    public var forms: (english: String, chinese: String) {
        switch self {
        // Sentences of events.
        case .eventCheckedOut: ("{person} took {item}, loan {loan}, due {due}", "{person} 借出 {item}，借用单 {loan}，应还时间 {due}")
        case .eventReturned: ("{person} returned {item}, loan {loan}", "{person} 归还 {item}，借用单 {loan}")
        case .eventRenewed: ("{person} keeps {item} longer, loan {loan}, now due {due}", "{person} 续借 {item}，借用单 {loan}，应还 {due}")
        case .eventTransferred:
            ("{borrower} handed {item} to {person}, loan {loan}, due {due}", "{borrower} 将 {item} 转交 {person}，借用单 {loan}，应还 {due}")
        case .eventInspected: ("{item} was inspected: {result}", "{item} 已检验：{result}")
        case .eventLost: ("{item} is lost, lent to {borrower}, loan {loan}", "{item} 已丢失（借用人 {borrower}），借用单 {loan}")
        case .eventFound: ("{item}, reported lost, is there again", "报失的 {item} 已找回")
        case .eventFlagged: ("unusual: {reason}, {item}, {borrower}", "异常使用：{reason}，{item}，{borrower}")
        case .eventMaintenanceDue:
            ("{item} needs maintenance after {uses} loans and {hours} hours out", "{item} 需要保养（已借出 {uses} 次，共 {hours} 小时）")
        case .eventServiced: ("{client} maintained {item}", "{client} 已保养 {item}")
        case .eventPermitRequested: ("request {permit} of {person}: {what}", "{person} 的借入申请 {permit}：{what}")
        case .eventPermitApproved:
            ("{client} approved request {permit}, {level} of {levels}", "{client} 批准借入申请 {permit}（{level}/{levels}）")
        case .eventPermitRejected: ("{client} rejected request {permit}", "{client} 驳回借入申请 {permit}")
        case .eventPermitWithdrawn: ("{client} withdrew request {permit}", "{client} 撤回借入申请 {permit}")
        case .eventReturnedFor:
            ("{person} returned {item}, lent to {borrower}, loan {loan}", "{person} 归还 {item}（借用人 {borrower}），借用单 {loan}")
        case .eventCameBack: ("{item} came back, lent to {borrower}, loan {loan}", "{item} 已归还（借用人 {borrower}），借用单 {loan}")
        case .eventReminded:
            (
                "Reminder to {to}: {items}, loan {loan}, lent to {borrower}, {step}: due {due}",
                "催还提醒（{to}）：{items}，借用单 {loan}，借用人 {borrower}，{step}，应还时间 {due}"
            )
        case .eventPutAway: ("{subject} put away on {location}", "{subject} 已上架至 {location}")
        case .eventPutAwayBy: ("{person} put {subject} away on {location}", "{person} 将 {subject} 上架至 {location}")
        case .eventPutAwayFrom: ("{subject} moved from {from} to {location}", "{subject} 已从 {from} 移至 {location}")
        case .eventConsumed: ("{subject} taken for use from {location}", "{subject} 已从 {location} 领用")
        case .eventConsumedBy: ("{person} took {subject} for use from {location}", "{person} 从 {location} 领用 {subject}")
        case .eventCabinetOpened: ("{station} was opened, {reason}: {people}", "{station} 已打开（{reason}）：{people}")
        case .eventCabinetOpenedByCommand:
            ("{station} was opened, let in by {client} ({note}): {people}", "{station} 已打开，由 {client} 授权（{note}）：{people}")
        case .eventCabinetClosed: ("{station} was closed after {time} s: {people}", "{station} 已关闭，开启 {time} 秒：{people}")
        case .eventCabinetUnlocked: ("{client} let {person} into {station}: {note}", "{client} 为{person}打开 {station}：{note}")
        case .eventCabinetRefused: ("{station} refused {person}: {reason}", "{station} 拒绝 {person}：{reason}")
        case .cabinetNobody: ("nobody known", "人员不明")
        case .cabinetSomebody: ("somebody", "某人")
        case .eventRetracted: ("Withdrawn, it did not happen: {what}", "已撤回，并未发生：{what}")
        case .provisional: ("{what} (provisional)", "{what}（暂定）")
        case .confirmed: ("{what} (confirmed)", "{what}（已确认）")
        case .sightingTimes: ("{first}–{last} s", "{first}–{last} 秒")
        case .eventExceptionRaised:
            (
                "Exception {number}: {kind}: {what}; {owner} must look by {deadline}",
                "异常 {number}：{kind}：{what}；请 {owner} 在 {deadline} 前处理"
            )
        case .eventExceptionAssigned: ("{client} assigned exception {number} to {owner}", "{client} 将异常 {number} 指派给 {owner}")
        case .eventExceptionResolved: ("{client} resolved exception {number} as {resolution}", "{client} 已处理异常 {number}：{resolution}")
        case .eventExceptionResolvedNote:
            (
                "{client} resolved exception {number} as {resolution}: {note}",
                "{client} 已处理异常 {number}：{resolution}，备注：{note}"
            )
        case .eventTagBound: ("{client} bound tag {epc} to {bearer}", "{client} 将标签 {epc} 绑定到{bearer}")
        case .eventTagUnbound: ("{client} took tag {epc} off {bearer}", "{client} 将标签 {epc} 与{bearer}解绑")
        case .eventObservedLate:
            (
                "{device} had seen {what} while nobody listened: {reads} reads, {first} to {last} UTC by its clock",
                "{device} 在离线期间读到{what}：{reads} 次，{first} 至 {last}（读写器时钟，UTC）"
            )
        case .eventObservedLateUntimed:
            ("{device} had seen {what} while nobody listened: {reads} reads", "{device} 在离线期间读到{what}：{reads} 次")
        case .eventModeChanged: ("{client} set station {station} to: {mode}", "{client} 将站点 {station} 设为：{mode}")
        case .eventMasterApplied: ("Master data version {version} applied, {rows} rows", "主数据版本 {version} 已生效，共 {rows} 条")
        case .eventClockCorrected:
            ("The clock was wrong: to the times of the events from {first} on {shift} must be added", "时钟曾不准：自事件 {first} 起，时间应加上 {shift}")
        case .eventUnknown: ("An event of type {type}, which this program does not know", "类型为 {type} 的事件，本程序无法识别")

        // People and things in sentences.
        case .actorGateway: ("The gateway", "网关")
        case .actorUnknown: ("nobody could be named", "身份不明")
        case .namedThing: ("{name} ({key})", "{name}（{key}）")
        case .thingWithLot: ("{thing} lot {lot}", "{thing}批次 {lot}")
        case .thingQuantity: ("{quantity} × {thing}", "{thing} × {quantity}")
        case .tagWord: ("tag {epc}", "标签 {epc}")
        case .codeWord: ("code {code}", "条码 {code}")
        case .loanWord: ("loan {loan}", "借用单 {loan}")
        case .candidates: ("perhaps {people}", "可能是 {people}")
        case .nothingNamed: ("nothing named", "未指明物品")
        case .bearerItem: ("item {what}", "工具 {what}")
        case .bearerPerson: ("person {what}", "人员 {what}")
        case .bearerProduct: ("product {what}", "物料 {what}")
        case .bearerLocation: ("location {what}", "库位 {what}")
        case .listSeparator: (", ", "、")
        case .labelled: ("{label}: {text}", "{label}：{text}")
        case .withMore: ("{text}, {more}", "{text}，{more}")
        case .directionOut: ("going out", "出库")
        case .directionIn: ("coming in", "入库")

        // Kinds of exceptions.
        case .exceptionUnknownTag: ("unknown tag", "未知标签")
        case .exceptionUnknownCode: ("unknown barcode", "未知条码")
        case .exceptionNoBadge: ("nobody showed a badge", "未刷工牌")
        case .exceptionUnknownBadge: ("unknown badge", "未知工牌")
        case .exceptionSeveralPeople: ("more than one person may have done it", "多人同时经过，无法确认借用人")
        case .exceptionNotPermitted: ("no approved request", "未授权（无有效借入申请）")
        case .exceptionOverQuota: ("too many open loans", "超出借用限额")
        case .exceptionPersonBlocked: ("person is blocked", "人员已被禁止借用")
        case .exceptionPersonOverdue: ("brought things back late too often", "近期多次逾期，暂停借用")
        case .exceptionLowCredit: ("credit score too low", "信用分过低")
        case .exceptionNotAvailable: ("tool is lost, damaged, incomplete or not inspected", "工具丢失、损坏、不完整或待检验")
        case .exceptionCalibrationDue: ("calibration has run out", "校准已过期")
        case .exceptionCertificateMissing: ("a certificate is missing or has expired", "缺少资质或资质已过期")
        case .exceptionSecondPersonMissing: ("a second person is needed", "需要第二人在场")
        case .exceptionOverValue: ("over the value that one person may have", "超出借用价值上限")
        case .exceptionMonthlyLimit: ("too many checkouts this month", "超出本月借用次数")
        case .exceptionOutsideHours: ("outside opening hours", "非开放时间")
        case .exceptionMasterOld: ("master data are too old", "主数据过旧")
        case .exceptionDamaged: ("came back damaged or incomplete", "归还时损坏或不完整")
        case .exceptionClonedTag: ("the same tag at two places at once", "同一标签同时出现在两处")
        case .exceptionStateConflict: ("record and reading disagree", "账实不符")
        case .exceptionUncertainPassage: ("may or may not have passed", "无法确认是否通过")
        case .exceptionDoorForced: ("cabinet opened though nobody was let in", "未经授权打开柜门")
        case .exceptionDoorLeftOpen: ("cabinet door left open", "柜门未关")
        case .exceptionWrongPlace: ("put where it does not belong", "放错位置")
        case .exceptionBindingConflict: ("tag bound to two things", "标签重复绑定")
        case .exceptionDeliveryRefused: ("upstream refused an event", "上级系统拒收事件")
        case .exceptionMasterRefused: ("master data from upstream cannot be taken in", "上级系统的主数据无法采用")
        case .exceptionRecordsLost: ("the store was damaged and recovered; events may be missing", "账本损坏后已恢复，可能缺少事件")

        // What an inspection found, and what is unusual.
        case .resultFine: ("fine", "完好")
        case .resultDamaged: ("damaged", "损坏")
        case .resultIncomplete: ("incomplete", "不完整")
        case .flagUnusualHour: ("at an unusual hour", "非常用时段")
        case .flagUnusualRate: ("far more than usual", "借用频率异常")
        case .flagSameTwoPeople: ("to and fro between the same two people", "同两人之间反复借还")

        // What a person at a station is told.
        case .feedbackAccepted: ("recorded", "已记录")
        case .feedbackException: ("recorded, somebody must look", "已记录，需人工处理")
        case .feedbackNext: ("now scan the location", "请扫描库位")
        case .feedbackRefused: ("not understood, nothing recorded", "无法识别，未记录")
        case .feedbackNotRecorded: ("NOT recorded, try again", "未能记录，请重试")

        case .feedbackUnlock: ("lock opened", "开锁")
        case .feedbackUnlock2: ("lock 2 opened", "开锁（2 号锁）")
        case .feedbackUnlock3: ("lock 3 opened", "开锁（3 号锁）")
        case .feedbackUnlock4: ("lock 4 opened", "开锁（4 号锁）")

        // States.
        case .reminderDueSoon: ("due soon", "即将到期")
        case .reminderDueToday: ("due today", "今日到期")
        case .reminderOverdueFirst: ("overdue", "已逾期")
        case .reminderOverdueSecond: ("still overdue, second reminder", "仍未归还，第二次催还")
        case .reminderOverdueThird: ("still overdue, third reminder", "仍未归还，第三次催还")
        case .recipientBorrower: ("borrower", "借用人")
        case .recipientSupervisor: ("supervisor", "主管")
        case .recipientStorekeeper: ("storekeeper", "库管员")
        case .deviceReading: ("reading", "正常")
        case .deviceSilent: ("silent", "无响应")
        case .failsafeNone: ("outputs stay when the gateway stops", "网关停止时输出保持不变")
        case .failsafeHostWatchdog: ("outputs go off when the gateway stops", "网关停止时输出自动断开")
        case .deviceAbsent: ("absent", "未连接")
        case .modeRunning: ("running", "运行中")
        case .modePaused: ("paused", "已暂停")
        case .modeTesting: ("testing", "测试模式")
        case .stationDeciding: ("deciding", "正常")
        case .stationStopped: ("stopped", "已停止")
        case .kindGate: ("gate", "通道门")
        case .kindPutaway: ("putaway", "上架台")
        case .kindDwell: ("dwell", "存放区")
        case .kindCabinet: ("cabinet", "工具柜")
        case .cabinetState: ("{station}: {stage}, {tags} tags inside", "{station}：{stage}，柜内标签 {tags} 个")
        case .cabinetClosed: ("closed", "已关闭")
        case .cabinetAwaitsSecondPerson: ("waits for the second person", "等待第二人刷卡")
        case .cabinetUnlocked: ("unlocked", "已开锁")
        case .cabinetOpen: ("open", "已打开")
        case .cabinetScanning: ("closed, being scanned", "已关闭，盘点中")
        case .cabinetConfirming: ("closed, looked at once more", "已关闭，复核中")
        case .openedByBadge: ("with a badge", "刷卡")
        case .openedByCommand: ("by command", "指令开锁")
        case .openedByForce: ("by force", "强行打开")
        case .openedWithoutBadge: ("without a badge", "未刷卡")
        case .openedUnwatched: ("while nobody watched", "无人监测期间")
        case .certaintyFinal: ("final", "最终")
        case .certaintyProvisional: ("provisional", "暂定")
        case .clockSynchronised: ("synchronised", "已同步")
        case .clockUnsynchronised: ("not synchronised", "未同步")
        case .clockUnknown: ("wrong or never set", "时间不可信")
        case .deliveryAcknowledged: ("acknowledged", "已确认")
        case .deliveryWaiting: ("waiting", "待发送")
        case .deliveryDead: ("refused, kept as a dead letter", "被拒收，已转入死信")
        case .deliveryNotSelected: ("not selected for this destination", "该目的地不接收此类事件")
        case .sourceCurrent: ("up to date", "已是最新")
        case .sourceAsking: ("asking", "查询中")
        case .sourceBackingOff: ("tried again soon", "稍后重试")
        case .sourceRefused: ("refused", "被拒绝")
        case .sourceEnded: ("not running", "未运行")
        case .destinationIdle: ("up to date", "已全部送达")
        case .destinationSending: ("sending", "发送中")
        case .destinationHolding: ("waits for the clock to be set", "等待校时")
        case .destinationBackingOff: ("tried again soon", "稍后重试")
        case .destinationRefused: ("refused", "被拒绝")
        case .destinationEnded: ("not running", "未运行")

        // Sightings.
        case .sightingAppeared: ("{what} appeared", "出现：{what}")
        case .sightingPassedOut: ("{what} went out", "出门：{what}")
        case .sightingPassedIn: ("{what} came in", "进门：{what}")
        case .sightingStayed: ("{what} turned back, did not pass", "折返未通过：{what}")
        case .sightingUncertain: ("{what} may have passed, it cannot be told", "无法判定是否通过：{what}")
        case .sightingUnknown: ("{what}: unknown, its reader was not reading", "{what}：状态不明，读写器未工作")
        case .sightingArrived: ("{what} arrived", "到达：{what}")
        case .sightingDeparted: ("{what} left", "离开：{what}")
        case .sightingPassed: ("{what} came by", "路过：{what}")
        case .sightingNoticed: ("{what} is there, not seen to move", "在场但未见移动：{what}")
        case .sightingLost: ("{what} is no longer read; it was never seen to move", "不再读到（从未见其移动）：{what}")
        case .sightingResumed: ("{what} was there all the time", "一直在场：{what}")
        case .sightingUnstable: ("{what} comes and goes too often to be believed", "出现过于频繁，不予采信：{what}")

        // Times.
        case .timeNow: ("just now", "刚刚")
        case .timeSecondsAgo: ("{n} s ago", "{n} 秒前")
        case .timeMinutesAgo: ("{n} min ago", "{n} 分钟前")
        case .timeHoursAgo: ("{n} h ago", "{n} 小时前")
        case .timeDaysAgo: ("{n} d ago", "{n} 天前")
        case .timeInSeconds: ("in {n} s", "{n} 秒后")
        case .timeInMinutes: ("in {n} min", "{n} 分钟后")
        case .timeInHours: ("in {n} h", "{n} 小时后")
        case .timeInDays: ("in {n} d", "{n} 天后")

        // Column headings.
        case .headDevice: ("DEVICE", "设备")
        case .headState: ("STATE", "状态")
        case .headSince: ("SINCE", "自")
        case .headLastReading: ("LAST READING", "最近读取")
        case .headReadings: ("READINGS", "读取数")
        case .headRejected: ("REJECTED", "丢弃数")
        case .headPort: ("PORT", "端口")
        case .headProfile: ("PROFILE", "设备档案")
        case .headReason: ("REASON", "原因")
        case .headLoan: ("LOAN", "借用单")
        case .headItem: ("ITEM", "工具")
        case .headPerson: ("WHO", "借用人")
        case .headDue: ("DUE", "应还")
        case .headStation: ("STATION", "站点")
        case .headKind: ("KIND", "类型")
        case .headMode: ("MODE", "模式")
        case .headLocation: ("LOCATION", "库位")
        case .headWhat: ("WHAT", "内容")
        case .headQuantity: ("QUANTITY", "数量")
        case .headLot: ("LOT", "批次")
        case .headNumber: ("NO.", "编号")
        case .headOwner: ("OWNER", "负责人")
        case .headDeadline: ("DEADLINE", "期限")
        case .headTag: ("TAG", "标签")
        case .headBearer: ("BOUND TO", "绑定对象")
        case .headURI: ("URI", "URI")
        case .headSource: ("SOURCE", "来源")
        case .headDestination: ("DESTINATION", "目的地")
        case .headMasterSource: ("MASTER DATA FROM", "主数据来源")
        case .headAge: ("CHECKED BEFORE", "距上次核对")
        case .destinationReminders:
            (
                "{name}: since the start {outdated} reminders were no longer true, {unreachable} were for somebody without a mail address",
                "{name}：自启动以来，{outdated} 条提醒在发送时已失效，{unreachable} 条提醒的收件人没有邮件地址"
            )
        case .headWaiting: ("WAITING", "待发送")
        case .headDelivered: ("DELIVERED UP TO", "已送达至")
        case .headProblem: ("PROBLEM", "问题")
        case .headSet: ("SET", "数据集")
        case .headAdded: ("ADDED", "新增")
        case .headChanged: ("CHANGED", "修改")
        case .headRemoved: ("REMOVED", "删除")
        case .headUnchanged: ("UNCHANGED", "未变")

        // Labels of explanations and of the status.
        case .labelWhat: ("what", "事项")
        case .labelWho: ("who", "人员")
        case .labelWhen: ("when", "时间")
        case .labelWhere: ("where", "地点")
        case .labelWhy: ("why", "依据")
        case .labelDelivery: ("delivery", "上传")
        case .labelCorrects: ("corrects", "更正")
        case .labelOwner: ("owner", "负责人")
        case .labelDeadline: ("deadline", "期限")
        case .labelItems: ("items", "工具")
        case .labelTags: ("tags", "标签")
        case .labelCode: ("code", "条码")
        case .labelDirection: ("direction", "方向")
        case .labelCandidates: ("perhaps", "可能人员")
        case .labelLoan: ("loan", "借用单")
        case .labelClock: ("clock", "时钟")
        case .labelMaster: ("master data", "主数据")
        case .labelEvents: ("events", "事件")
        case .labelOpen: ("open", "未结")
        case .labelDevices: ("devices", "设备")
        case .labelRecording: ("recording", "录制")
        case .labelLost: ("NOT recorded", "未能记录")
        case .labelDisk: ("DISK", "磁盘")
        case .labelStore: ("store", "账本")
        case .labelPermit: ("permit", "借入申请")
        case .whenClock: ("{time} (clock {quality})", "{time}（时钟{quality}）")
        case .whenAgo: ("{time}, {ago}", "{time}，{ago}")
        case .whereStation: ("station {station}, episode {episode}", "站点 {station}，过程 {episode}")
        case .whereStationOnly: ("station {station}", "站点 {station}")
        case .whereGateway: ("the gateway as a whole", "整个网关")
        case .whyNothing: ("no evidence was kept with this event", "该事件未保存依据")
        case .whyMaster: ("master data version {version} was relied on", "依据主数据版本 {version}")
        case .deliveryNone: ("no destination is configured", "未配置上传目的地")
        case .correctsEvent: ("event {number}", "事件 {number}")

        // Evidence.
        case .evidenceAntennas: ("antennas", "天线")
        case .evidenceFirst: ("first side", "首次所在侧")
        case .evidenceLast: ("last side", "最后所在侧")
        case .evidenceReads: ("reads", "读取次数")
        case .evidenceRSSI: ("signal (dBm)", "信号强度（dBm）")
        case .evidenceBadge: ("badge", "工牌")
        case .evidenceRule: ("rule", "规则")
        case .evidencePermit: ("permit", "借入申请")
        case .evidenceDevice: ("device", "设备")
        case .evidenceInside: ("inside", "库内侧")
        case .evidenceOutside: ("outside", "库外侧")
        case .evidenceOdds: ("log-odds of passing", "通过的对数几率")
        case .evidenceThreshold: ("threshold", "阈值")
        case .evidenceWhy: ("because of", "依据")
        case .evidenceRecorded: ("record", "记录状态")
        case .evidencePosition: ("position", "位置")
        case .evidenceOrder: ("order of the sides", "两侧先后")
        case .evidenceGroup: ("things beside it", "同行物品")
        case .evidenceResident: ("lies near the gate", "常驻门旁")
        case .evidenceStill: ("does not move", "静止")
        case .evidenceDegraded: ("a reader stopped meanwhile", "期间读写器中断")
        case .evidenceSeen: ("seen in looks", "读到次数")
        case .evidenceLooks: ("looks", "扫描次数")
        case .evidenceOpenBefore: ("open before", "上次未能确定")
        case .evidenceInterrupted: ("power was lost meanwhile", "期间断电或重启")
        case .evidenceStranger: ("somebody unknown was there", "有身份不明者在场")
        case .evidenceHome: ("belongs to", "应放位置")
        case .evidenceUnchecked: ("not looked at again", "未再复核")
        case .labelRecorded: ("decided", "决定时间")
        case .helpSightings: ("Print what was seen of each tag and why, before any rule", "输出各标签的判断及依据，不经业务规则")
        case .evidenceSeconds: ("lasted (s)", "持续（秒）")
        case .evidenceGap: ("between reads (s)", "读取间隔（秒）")

        // Status.
        case .statusTitle:
            (
                "Gateway {gateway}, {site}: version {version}, running for {uptime}",
                "网关 {gateway}（{site}）：版本 {version}，已运行 {uptime}"
            )
        case .statusMaster: ("version {version}, applied {ago}", "版本 {version}，{ago}生效")
        case .statusNoMaster: ("none yet: stockgate import FILE…", "尚无：请运行 stockgate import 文件…")
        case .statusOpen: ("{loans} loans ({overdue} overdue), {exceptions} exceptions", "借用 {loans} 笔（逾期 {overdue} 笔），异常 {exceptions} 项")
        case .statusDevices: ("{reading} reading, {silent} silent, {absent} absent", "正常 {reading}，无响应 {silent}，未连接 {absent}")
        case .deviceGrabbed: ("taken {ms} ms after it appeared", "出现后 {ms} 毫秒独占")
        case .statusDiskFull: ("full, or nearly: make room, or soon nothing is recorded", "已满或即将满：请腾出空间，否则将无法记录")
        case .statusStore: ("{bytes} KiB written for each event", "每个事件写入 {bytes} KiB")
        case .statusLost: ("{crossings} crossings, {reads} reads that readers had kept", "{crossings} 次通过，{reads} 条读写器缓存读数")
        case .statusRecording: ("{file}, {bytes} bytes, since {ago}", "{file}，{bytes} 字节，开始于{ago}")
        case .durationDays: ("{days} d {hours} h", "{days} 天 {hours} 小时")
        case .durationHours: ("{hours} h {minutes} min", "{hours} 小时 {minutes} 分钟")
        case .durationMinutes: ("{minutes} min {seconds} s", "{minutes} 分 {seconds} 秒")

        // Empty lists, each with the next step.
        case .emptyDevices:
            (
                "No devices are configured. Name them as [[device]] in the site file, then: stockgate config check FILE",
                "尚未配置设备。请在站点文件中添加 [[device]]，然后运行：stockgate config check 文件"
            )
        case .errorNoDevice: ("There is no device {device}.", "没有名为 {device} 的设备。")
        case .hintDevices: ("All devices: stockgate devices", "查看全部设备：stockgate devices")
        case .adviceLine: ("{device}: {advice}", "{device}：{advice}")
        case .adviceNoAnswer:
            (
                "not one byte came back: look at power, cable and port; the line speed may be wrong: stockgate probe PORT",
                "没有收到任何字节：请检查电源、线缆和端口；波特率也可能不对：stockgate probe 端口"
            )
        case .adviceForeignBytes:
            (
                "what arrives is not this protocol: wrong line speed or wrong profile: stockgate probe PORT",
                "收到的数据不符合该协议：波特率或设备档案不对：stockgate probe 端口"
            )
        case .adviceDamagedFrames:
            (
                "frames arrive damaged: look at cable, earth and line speed",
                "数据帧损坏：请检查线缆、接地和波特率"
            )
        case .hintOneSided:
            (
                "{station}: all antennas stand on one side, so no direction can be told and everything that passes stays uncertain",
                "{station}：所有天线都在同一侧，无法判断方向，经过的物品均为“不确定”"
            )
        case .hintNoSignalLevels:
            (
                "{station}: the reader tells no signal levels, so fewer walks can be decided; turn RSSI on where the reader has it",
                "{station}：读写器不提供信号强度，可判定的通过较少；如读写器支持，请开启 RSSI"
            )
        case .hintSlowReturn:
            (
                "{station}: antenna {device} comes back after {ms} ms only; over 300 ms a walker is missed: fewer antennas or a faster mode",
                "{station}：天线 {device} 每 {ms} 毫秒才轮询一次；超过 300 毫秒会漏掉行人，请减少天线或使用更快的模式"
            )
        case .hintSidesAlike:
            (
                "{station}: the same side was the louder one throughout 50 visits; stockgate gate tune {station} says what to move",
                "{station}：连续 50 次经过均为同一侧信号更强；请运行 stockgate gate tune {station}"
            )
        case .hintIntent:
            (
                "{station}: {device} is set for something else than this station; take \"intent\" out of its [device.radio]",
                "{station}：{device} 的用途与该站点不符；请删除其 [device.radio] 中的 intent"
            )
        case .hintSilentAntenna:
            (
                "{station}: antenna {device} heard none of the last 30 tags that others heard well; check its cable, its port and where it looks",
                "{station}：最近 30 个被其他天线清楚读到的标签，天线 {device} 一个都没读到；请检查其电缆、端口和朝向"
            )
        case .hintTagsFallSilent:
            (
                "{station}: tags are read once and then fall silent; set the reader to session S0 or to both targets, and turn off what filters "
                    + "repeated reads",
                "{station}：标签读到一次后便不再响应；请将读写器设为 S0 会话或双目标，并关闭重复读取过滤"
            )
        case .adviceDeviceFault:
            (
                "the device reports a fault of its own: stockgate devices NAME",
                "设备自身报告故障：stockgate devices 名称"
            )
        case .labelAdvice: ("Advice", "建议")
        case .labelFaults: ("Fault", "故障")
        case .labelNoReads: ("Nothing found", "未读到条码")
        case .labelAnswers: ("Says", "设备信息")
        case .labelLateReads: ("Kept offline", "离线缓存")
        case .labelSkipped: ("Cannot", "不支持")
        case .deviceCount: ("{what}: {n}", "{what}：{n}")
        case .deviceAnswer: ("{step}: {answer}", "{step}：{answer}")
        case .emptyEvents: ("No events yet. To see what the devices read: stockgate watch", "暂无事件。查看设备读取情况：stockgate watch")
        case .emptyEventsFiltered:
            (
                "No event matches. Try it without --type, --station or --item.",
                "没有符合条件的事件。可去掉 --type、--station 或 --item 再试。"
            )
        case .emptyExceptions: ("No open exceptions.", "没有未处理的异常。")
        case .hintException:
            (
                "Why: stockgate explain {number} · settle it: stockgate exceptions resolve {number} --as WORD --note TEXT",
                "原因：stockgate explain {number} · 处理：stockgate exceptions resolve {number} --as 结果 --note 说明"
            )
        case .emptyLoans: ("Nothing is lent out.", "当前没有借出的工具。")
        case .emptyStock: ("No stock recorded yet. Scan an item and then a location at a putaway station.", "暂无库存记录。请在上架台先扫物品，再扫库位。")
        case .emptyTags:
            (
                "No tags are bound here. Bind one: stockgate tag bind EPC --item KEY",
                "尚未绑定标签。绑定方法：stockgate tag bind EPC --item 编号"
            )
        case .emptyStations: ("No stations are configured.", "尚未配置站点。")
        case .emptyDestinations: ("No destinations are configured: events stay here.", "尚未配置上传目的地，事件仅保存在本机。")

        // Answers to commands.
        case .doneExceptionResolved: ("Exception {number} is resolved.", "异常 {number} 已处理。")
        case .doneExceptionAssigned: ("Exception {number} is assigned to {owner}.", "异常 {number} 已指派给 {owner}。")
        case .doneTagBound: ("Tag {epc} is bound to {bearer}.", "标签 {epc} 已绑定到{bearer}。")
        case .doneTagUnbound: ("Tag {epc} is no longer bound here.", "标签 {epc} 已解绑。")
        case .doneErased: ("Erased. {person} stands for nobody any more.", "已删除。{person} 不再对应任何人。")
        case .eraseRemaining: ("still holds the name, remove it: {file}", "仍含姓名，请删除：{file}")
        case .eraseSummary:
            (
                "{person}: {rows} rows of master data go, and {files} recordings and files of master data that may name them",
                "{person}：将删除 {rows} 条主数据，以及 {files} 个可能含其信息的录制和主数据文件"
            )
        case .eraseAsk: ("This cannot be undone. Erase? [y/N]", "此操作无法撤销。确定删除？[y/N]")
        case .eraseKept: ("Nothing was erased.", "未删除任何内容。")
        case .doneMode: ("Station {station}: {mode}.", "站点 {station}：{mode}。")
        case .doneModeTesting:
            (
                "Station {station} is testing: no loans are made and nothing goes upstream until: stockgate station resume {station}",
                "站点 {station} 处于测试模式：不产生借还，也不上传。恢复：stockgate station resume {station}"
            )
        case .doneImport: ("Master data version {version} is in force.", "主数据版本 {version} 已生效。")
        case .doneImportDry: ("Nothing was changed (--dry-run).", "未作任何更改（--dry-run）。")
        case .doneImportSame: ("The files hold nothing new.", "文件内容与现有数据一致。")
        case .doneConfig:
            (
                "{file} is good: {devices} devices, {stations} stations, {destinations} destinations, {sources} sources of master data.",
                "{file} 检查通过：设备 {devices} 个，站点 {stations} 个，目的地 {destinations} 个，主数据来源 {sources} 个。"
            )
        case .configNetwork:
            (
                "The service may not reach everything yet. Write these lines into {file}, then: systemctl daemon-reload && systemctl restart stockgated",
                "服务目前无法访问以下地址。请将这些行写入 {file}，然后运行：systemctl daemon-reload && systemctl restart stockgated"
            )
        case .doneProfiles: ("{count} profiles are good.", "{count} 个设备档案检查通过。")
        case .doneRecord: ("Recorded {lines} lines, {bytes} bytes: {file}", "已录制 {lines} 行，{bytes} 字节：{file}")
        case .recordStarted: ("Recording. Ctrl-C ends it.", "正在录制，按 Ctrl-C 结束。")
        case .recordStartedFor: ("Recording for {seconds} s.", "正在录制，共 {seconds} 秒。")
        case .watchStarted: ("Watching; hold a tag, badge or code before a reader. Ctrl-C ends it.", "正在监视，请将标签、工牌或条码靠近读写器。按 Ctrl-C 结束。")
        case .watchDropped: ("{count} happenings not shown: this terminal is too slow", "终端过慢，有 {count} 条未显示")
        case .watchTag: ("tag {epc} {what}antenna {antenna} {rssi}", "标签 {epc} {what}天线 {antenna} {rssi}")
        case .watchLate: ("kept by the reader: tag {epc} {what}antenna {antenna} {rssi}", "读写器缓存：标签 {epc} {what}天线 {antenna} {rssi}")
        case .watchTimes: ("{count} reads", "读取 {count} 次")
        case .watchScan: ("code {code} {symbology}", "条码 {code} {symbology}")
        case .watchBadge: ("badge {badge} {name}", "工牌 {badge} {name}")
        case .watchInput: ("input {line} is {level}", "输入 {line} 为 {level}")
        case .watchDevice: ("device {device}: {state} {reason}", "设备 {device}：{state} {reason}")
        case .watchTestOnly: ("test only: {what}", "仅测试：{what}")
        case .tagLocal: ("bound here", "本机绑定")
        case .tagMaster: ("master data", "主数据")
        case .tagNotBound:
            (
                "Tag {epc} is bound to nothing. Bind it: stockgate tag bind {epc} --item KEY",
                "标签 {epc} 未绑定。绑定方法：stockgate tag bind {epc} --item 编号"
            )
        case .profileMatched: ("Device {device} uses profile {profile}.", "设备 {device} 使用设备档案 {profile}。")
        case .profileNone:
            (
                "No profile matches device {device}. Give it one in the site file: profile = \"ID\"",
                "没有与设备 {device} 匹配的设备档案。请在站点文件中指定：profile = \"ID\""
            )
        case .profileMismatch: ("{property} is {found}, needs {expected}", "{property} 要求 {expected}，实际：{found}")
        case .profileAgrees: ("matches, {count} properties agree", "匹配，{count} 个属性一致")
        case .profileBindOnly: ("must be named in the site file", "须在站点文件中指定")
        case .absentValue: ("not there", "不存在")

        // Errors.
        case .errorUnreachable: ("stockgated does not answer on {socket}: {reason}", "stockgated 无响应（{socket}）：{reason}")
        case .hintStart:
            (
                "Is it running? systemctl status stockgated · start it: sudo systemctl start stockgated · another socket: --socket PATH or STOCKGATE_SOCKET",
                "是否已启动？查看：systemctl status stockgated · 启动：sudo systemctl start stockgated · 指定其他套接字：--socket 路径 或 STOCKGATE_SOCKET"
            )
        case .errorMayNotOpen: ("you may not open {socket}", "无权打开 {socket}")
        case .hintGroup:
            (
                "Join the group, then log in again: sudo usermod -aG stockgate $USER",
                "请加入用户组后重新登录：sudo usermod -aG stockgate $USER"
            )
        case .errorBroken: ("the connection to stockgated ended early: {reason}", "与 stockgated 的连接意外中断：{reason}")
        case .errorAnswer:
            (
                "stockgated gave an answer that this program cannot read; are both of the same version?",
                "无法识别 stockgated 的应答，请确认两者版本一致"
            )
        case .errorFile: ("{file}: {reason}", "{file}：{reason}")
        case .errorFileLine: ("{file}:{line}: {key}{reason}", "{file}:{line}：{key}{reason}")
        case .errorFileBad: ("Nothing was done: correct these and try again.", "未执行任何操作，请更正后重试。")
        case .errorHex: ("not hexadecimal: {text}", "不是十六进制：{text}")
        case .errorEPC: ("not an EPC: {text}. Give 2 to 124 hexadecimal digits.", "不是有效的 EPC：{text}。请输入 2 至 124 位十六进制数字。")
        case .errorAIM: ("not an AIM identifier: {text}. An example: ]C1", "不是有效的 AIM 标识：{text}。示例：]C1")
        case .errorOneBearer:
            (
                "give exactly one of --item, --person, --product, --location",
                "请在 --item、--person、--product、--location 中选且只选一个"
            )
        case .errorReference: ("not an event number or id: {text}", "不是事件编号或 id：{text}")
        case .errorPositive: ("{option} must be {lower} to {upper}", "{option} 必须在 {lower} 到 {upper} 之间")
        case .errorKey: ("not a key: {text}. A key has 1 to 128 visible characters.", "不是有效编号：{text}。编号为 1 至 128 个可见字符。")
        case .errorSet: ("no such set: {text}. Sets: {sets}", "没有此数据集：{text}。可用：{sets}")
        case .errorProfile: ("no such profile: {text}", "没有此设备档案：{text}")
        case .errorNoReading: ("No reading is in these bytes.", "这些字节中没有读数。")
        case .problemNotFound: ("Not found: {detail}", "未找到：{detail}")
        case .problemConflict: ("Refused, it conflicts with the present state: {detail}", "已拒绝，与当前状态冲突：{detail}")
        case .problemInvalid: ("Refused, the request is not valid: {detail}", "已拒绝，请求无效：{detail}")
        case .problemNotPermitted:
            (
                "Refused: you may look but not change. Join the group stockgate. ({detail})",
                "已拒绝：您只有查看权限。请加入用户组 stockgate。（{detail}）"
            )
        case .problemTooLarge: ("Refused, too large: {detail}", "已拒绝，数据过大：{detail}")
        case .problemNotStored: ("NOT recorded: {detail}", "未能记录：{detail}")
        case .problemUnavailable: ("Not possible at present: {detail}", "暂时无法执行：{detail}")
        case .problemInternal: ("stockgated failed: {detail}", "stockgated 内部错误：{detail}")

        // Help.
        case .helpRoot: ("See and steer the stockgate gateway", "查看和操作 stockgate 网关")
        case .helpRootMore:
            (
                "Exit codes: 0 done, 1 no or not found, 2 wrong usage, 3 daemon not reachable, 4 refused by the daemon, 5 bad input file",
                "退出码：0 成功，1 否定或未找到，2 用法错误，3 无法连接守护进程，4 被守护进程拒绝，5 输入文件有误"
            )
        case .helpDevices: ("Devices and whether they read", "设备及其工作状态")
        case .helpWatch: ("Show readings, sightings and decisions as they happen", "实时显示读取、判断和决定")
        case .helpEvents: ("Events, the newest last", "事件列表，最新的在最后")
        case .helpExplain: ("Tell why an event was decided", "解释事件的由来")
        case .helpExceptions: ("Open exceptions", "未处理的异常")
        case .helpExceptionsList: ("List open exceptions", "列出未处理的异常")
        case .helpExceptionsShow: ("Show one open exception", "查看一项异常")
        case .helpExceptionsResolve: ("Resolve an exception", "处理异常")
        case .helpExceptionsAssign: ("Give an exception to another owner", "指派异常")
        case .helpLoans: ("What is lent out", "借出清单")
        case .helpStock: ("What lies where", "库存清单")
        case .helpTag: ("Tags and what they belong to", "标签及其绑定")
        case .helpTagList: ("List bound tags", "列出已绑定的标签")
        case .helpTagBind: ("Bind a tag", "绑定标签")
        case .helpTagUnbind: ("Take a local binding away", "解除本机绑定")
        case .helpPerson: ("People of the master data", "主数据中的人员")
        case .helpPersonErase: ("Forget a person: name, number, badges, recordings", "删除人员信息：姓名、工号、卡号和录制")
        case .helpPersonReference: ("Employee number or key", "工号或键")
        case .helpEraseYes: ("Do not ask", "不再询问")
        case .helpTagShow: ("Show what a tag belongs to", "查看标签绑定")
        case .helpStation: ("Stations: pause, test, resume", "站点：暂停、测试、恢复")
        case .helpStationList: ("List stations", "列出站点")
        case .helpStationOpen: ("Let somebody into a cabinet, badge or not", "为他人打开工具柜（无需刷卡）")
        case .helpOpenPerson: ("Whom: employee number or key; without it, nobody by name", "为谁：工号或编号；省略则不具名")
        case .helpStationPause: ("Show reads, decide nothing", "仅显示读取，不作决定")
        case .helpStationTest: ("Maintenance: decide, but make no loans and send nothing", "维护：照常判断，但不产生借还、不上传")
        case .helpStationResume: ("Decide again", "恢复运行")
        case .helpDecode: ("Decode bytes, a tag or a barcode; needs no daemon", "解码字节、标签或条码，无需守护进程")
        case .helpDecodeBytes: ("Decode device bytes with a profile", "用设备档案解码字节")
        case .helpDecodeEPC: ("Say what an EPC means", "解析 EPC")
        case .helpDecodeBarcode: ("Say what a barcode means", "解析条码")
        case .helpReplay: ("Print the events that a capture leads to; needs no daemon", "回放录制文件并输出事件，无需守护进程")
        case .helpRecord: ("Record what the devices send", "录制设备输入")
        case .helpImport: ("Import master data from JSON or CSV", "从 JSON 或 CSV 导入主数据")
        case .helpConfig: ("The site file", "站点文件")
        case .helpConfigCheck: ("Check a site file and say everything that is wrong with it", "检查站点文件并列出全部问题")
        case .helpProfile: ("Device profiles", "设备档案")
        case .helpProfileCheck: ("Check device profiles", "检查设备档案")
        case .helpProfileExplain: ("Say which profile a device got, or why none", "说明设备匹配了哪个设备档案及原因")
        case .helpStatus: ("State of the gateway", "网关状态")
        case .helpReload: ("Read the site file again", "重新读取站点文件")
        case .doneReload: ("The site file was read again.", "站点文件已重新读取。")
        case .doneReloadSame: ("The site file was read again; nothing had changed.", "站点文件已重新读取，没有变化。")
        case .helpVerify: ("Check the ledger: its chain, its archive, and the state against all events", "校验账本：哈希链、归档，以及状态与全部事件是否一致")
        case .helpVerifyDirectory: ("The state directory of a daemon that does not run", "未运行的守护进程的状态目录")
        case .doneVerify:
            (
                "All is well: {events} events, {archived} of them in the archive, {rows} state rows.",
                "一切正常：{events} 条事件，其中归档 {archived} 条，状态 {rows} 行。"
            )
        case .verifyProgress: ("{events} of {last}", "{events} / {last}")
        case .verifyBad: ("{problem}", "{problem}")
        case .verifyWhere: ("  in {file}, event {event}", "  文件 {file}，事件 {event}")
        case .verifyNext: ("  next: {step}", "  下一步：{step}")
        case .helpBackup: ("Back up the ledger and the master data now", "立即备份账本和主数据")
        case .helpBackupTo: ("The folder that gets the backup", "存放备份的目录")
        case .doneBackup: ("Backed up to {path}: up to event {last}, {bytes} bytes.", "已备份到 {path}：截至事件 {last}，{bytes} 字节。")
        case .helpRestore: ("Put a backup in the place of the ledger; the daemon must not run", "用备份替换账本；守护进程必须已停止")
        case .helpRestoreBackup: ("The folder of the backup", "备份目录")
        case .helpRestoreDirectory: ("The state directory", "状态目录")
        case .helpRestoreDryRun: ("Only say what would be lost", "只说明会丢失什么")
        case .helpRestoreYes: ("Do it", "确认执行")
        case .helpRestoreForce: ("Also a backup that another key has signed", "也接受由其他密钥签名的备份")
        case .restoreBackup: ("The backup of {time} ends at event {last}.", "备份时间 {time}，截至事件 {last}。")
        case .restorePresent:
            ("The present ledger ends at event {last}: {lost} events are not in the backup.", "当前账本截至事件 {last}：有 {lost} 条事件不在备份中。")
        case .restoreUnreadable: ("The present ledger cannot be read: {reason}", "无法读取当前账本：{reason}")
        case .restoreEmpty: ("There is no ledger yet.", "目前没有账本。")
        case .restoreAcknowledged:
            ("  {destination} already has events up to {last}; they keep their ids there.", "  {destination} 已收到截至 {last} 的事件，其编号在那里保持不变。")
        case .restoreOtherSigner:
            (
                "It is not signed with the key of this directory: somebody else made it, or the key was lost since. Only with --force.",
                "该备份不是用此目录的密钥签名的：由他人制作，或密钥此后已丢失。须加 --force。"
            )
        case .restoreUnknownSigner:
            ("There is no key here to compare its signature with: make sure where it comes from.", "此处没有可用于核对签名的密钥：请确认备份的来源。")
        case .restoreNeedsYes: ("Nothing was changed. With --yes it is done.", "没有任何改动。加 --yes 执行。")
        case .doneRestore: ("Restored. What was there is in {path}.", "已恢复。原有文件在 {path}。")
        case .errorStore: ("{reason}", "{reason}")
        case .helpSocket: ("The daemon's socket", "守护进程的套接字")
        case .helpJSON: ("Print JSON", "输出 JSON")
        case .helpLanguage: ("Language of the output: en or zh", "输出语言：en 或 zh")
        case .helpFollow: ("Wait for new events", "持续等待新事件")
        case .helpType: ("Only events of this type, for example loan.checked_out or loan.*", "仅此类型的事件，例如 loan.checked_out 或 loan.*")
        case .helpStationOption: ("Only events of this station", "仅此站点的事件")
        case .helpItem: ("Only events about this item", "仅与此工具相关的事件")
        case .helpAfter: ("Only events after this number", "仅此编号之后的事件")
        case .helpLimit: ("The newest so many events, 1 to 1000", "最新的若干条事件，1 至 1000")
        case .helpEvent: ("Number or id of the event", "事件编号或 id")
        case .helpException: ("Number of the exception", "异常编号")
        case .helpAs: ("How it was resolved, one word: returned, false-read, lost …", "处理结果，一个词：returned、false-read、lost 等")
        case .helpNote: ("What was found out", "处理说明")
        case .helpTo: ("Role or name of the new owner", "新负责人的角色或姓名")
        case .helpEPC: ("The tag's EPC in hexadecimal", "标签 EPC（十六进制）")
        case .helpKey: ("Key in the master data", "主数据中的编号")
        case .helpStationName: ("Name of the station", "站点名称")
        case .helpDeviceName: ("Name of the device", "设备名称")
        case .helpProfileID: ("Id of the device profile", "设备档案 id")
        case .helpProfiles: ("A folder of profiles, repeatable", "设备档案目录，可重复")
        case .helpHex: ("Bytes in hexadecimal", "十六进制字节")
        case .helpBarcode: ("The barcode's text; \\x1D stands for the GS1 separator", "条码文本，GS1 分隔符写作 \\x1D")
        case .helpAIM: ("The AIM identifier, for example ]C1", "AIM 标识，例如 ]C1")
        case .helpConfigOption: ("The site file", "站点文件")
        case .helpMaster: ("Master data as NDJSON, or a file to import", "主数据 NDJSON 或可导入的文件")
        case .helpState: ("Start state as NDJSON rows; else the capture's own", "初始状态 NDJSON；缺省用录制文件自带的")
        case .helpCapture: ("The capture to replay", "要回放的录制文件")
        case .helpOutput: ("Where to write the capture; - is standard output", "录制文件保存位置，- 为标准输出")
        case .helpFor: ("End after so many seconds", "录制秒数")
        case .helpRecordNote: ("A note in the header of the capture: product, firmware, what is done", "写入录制文件头的说明：产品、固件、操作内容")
        case .helpFiles: ("CSV, JSON or NDJSON files", "CSV、JSON 或 NDJSON 文件")
        case .helpSet: ("What the rows are, where the file does not say: items, people, tags …", "文件未注明时指定数据集：items、people、tags 等")
        case .helpDryRun: ("Show what would change, change nothing", "仅显示将发生的变更，不执行")
        case .helpPaths: ("Profile files or folders", "设备档案文件或目录")
        case .helpLocation: ("Only this location", "仅此库位")
        }
    }
}
