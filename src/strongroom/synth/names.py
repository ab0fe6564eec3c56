"""What synthetic people are called and where they live: a made-up city with made-up districts and streets.

Surnames stand with their rough share in China per ten thousand; given-name characters with their pinyin.
"""

from __future__ import annotations

SURNAMES = """
王 wang 725  李 li 719  张 zhang 683  刘 liu 538  陈 chen 453  杨 yang 308  黄 huang 223  赵 zhao 229  吴 wu 205  周 zhou 212
徐 xu 167  孙 sun 154  马 ma 129  朱 zhu 126  胡 hu 131  郭 guo 115  何 he 106  林 lin 107  高 gao 100  罗 luo 86
郑 zheng 84  梁 liang 84  谢 xie 72  宋 song 70  唐 tang 69  许 xu 66  韩 han 68  邓 deng 62  冯 feng 64  曹 cao 60
彭 peng 57  曾 zeng 57  肖 xiao 59  田 tian 52  董 dong 51  潘 pan 50  袁 yuan 50  蔡 cai 53  蒋 jiang 48  余 yu 49
于 yu 48  杜 du 47  叶 ye 48  程 cheng 46  魏 wei 44  苏 su 47  吕 lyu 45  丁 ding 43  任 ren 41  卢 lu 40
姚 yao 39  沈 shen 41  钟 zhong 39  姜 jiang 38  崔 cui 38  谭 tan 38  陆 lu 37  范 fan 36  汪 wang 36  廖 liao 35
石 shi 34  金 jin 33  韦 wei 30  贾 jia 33  夏 xia 31  付 fu 30  方 fang 30  邹 zou 29  熊 xiong 27  白 bai 29
孟 meng 28  秦 qin 27  邱 qiu 27  侯 hou 26  江 jiang 26  尹 yin 25  薛 xue 25  闫 yan 24  段 duan 23  雷 lei 23
龙 long 22  黎 li 21  史 shi 20  陶 tao 20  贺 he 19  毛 mao 18  郝 hao 18  顾 gu 18  龚 gong 18  邵 shao 18
万 wan 17  覃 qin 16  武 wu 16  钱 qian 16  戴 dai 15  莫 mo 14  孔 kong 14  向 xiang 14  常 chang 13  欧阳 ouyang 10
"""

# The first character of a given name, then the second; a name of one character takes the second alone.
MALE = (
    """
建 jian 志 zhi 文 wen 国 guo 明 ming 俊 jun 家 jia 子 zi 海 hai 永 yong 少 shao 立 li 新 xin 春 chun 大 da 天 tian
嘉 jia 浩 hao 宇 yu 思 si 泽 ze 晓 xiao 庆 qing 德 de 承 cheng 振 zhen
""",
    """
强 qiang 伟 wei 军 jun 杰 jie 涛 tao 斌 bin 波 bo 辉 hui 鹏 peng 华 hua 平 ping 刚 gang 峰 feng 林 lin 超 chao 龙 long
飞 fei 宁 ning 轩 xuan 然 ran 博 bo 毅 yi 松 song 远 yuan 诚 cheng 阳 yang
""",
)
FEMALE = (
    """
秀 xiu 玉 yu 桂 gui 淑 shu 美 mei 丽 li 雅 ya 诗 shi 雨 yu 梦 meng 欣 xin 佳 jia 春 chun 月 yue 海 hai 晓 xiao
思 si 子 zi 若 ruo 静 jing 红 hong 凤 feng 婉 wan 语 yu 心 xin 慧 hui
""",
    """
英 ying 兰 lan 珍 zhen 芳 fang 华 hua 梅 mei 娟 juan 敏 min 燕 yan 玲 ling 霞 xia 萍 ping 琴 qin 莉 li 丹 dan 洁 jie
琳 lin 颖 ying 涵 han 怡 yi 婷 ting 雪 xue 云 yun 瑶 yao 宁 ning 然 ran
""",
)

LATIN_MALE = (
    "Liam Noah Oliver James Lucas Mateo Daniel José Jean-Luc François Jürgen Søren Łukasz Ahmed Omar Ivan Dmitri Minh Kenji "
    "Arjun Thomas Samuel Hugo Emil Marco Patrick"
)
LATIN_FEMALE = (
    "Olivia Emma Amelia Sofía Ana María Chloé Zoë Ingrid Zofia Aïcha Fatima Olga Natalia Linh Yuki Priya Hannah Lucía Elena "
    "Grace Ruth Alice Maeve Freja Noor"
)
LATIN_SURNAMES = (
    "Smith Jones O'Brien García Rodríguez Fernández Silva Müller Schäfer Nguyễn Trần Kowalski Nowak Dubois Lefèvre Rossi "
    "Bianchi Hansen Åkerlund Sørensen Ivanova Petrenko Haddad Mansour Okafor Mwangi Tanaka Sharma Patel Kim MacLeod Fitzgerald "
    "Van-den-Berg Öztürk Horváth Popescu"
)

CITY = ("云桥市", "Yunqiao")
# Codes begin with 19: GB/T 2260 gives the first two digits to a province, and 16 to 19 have never been one.
DISTRICTS = (
    ("190102", "柳溪区", "Liuxi"),
    ("190103", "望潮区", "Wangchao"),
    ("190104", "石榴区", "Shiliu"),
    ("190105", "青莲区", "Qinglian"),
    ("190106", "鼓楼东区", "Guloudong"),
    ("190111", "白鹭区", "Bailu"),
    ("190112", "南渡区", "Nandu"),
    ("190113", "松风区", "Songfeng"),
    ("190121", "芦湾县", "Luwan"),
    ("190122", "三泉县", "Sanquan"),
)
STREETS = (
    ("梧桐路", "Wutong Road"),
    ("槐荫街", "Huaiyin Street"),
    ("书院路", "Shuyuan Road"),
    ("临江大道", "Linjiang Avenue"),
    ("杏花巷", "Xinghua Lane"),
    ("东风渠路", "Dongfengqu Road"),
    ("老船厂路", "Old Shipyard Road"),
    ("桂子街", "Guizi Street"),
    ("北塔路", "North Tower Road"),
    ("茶市街", "Tea Market Street"),
    ("竹林里", "Bamboo Grove"),
    ("月牙湖路", "Crescent Lake Road"),
)

# What is said in free texts: of nothing that happened.
SENTENCES = (
    "The lamp at the corner was out again.",
    "A bicycle was left at the north gate and collected the same evening.",
    "Nothing was taken, and the window has been mended.",
    "The caller wished to know the opening hours.",
    "They agreed to meet after the market closes.",
    "雨后河边的小路有些积水。",
    "门口的快递已经由邻居代收。",
    "The noise came from the works at the bridge.",
    "Two neighbours disagree about a parking space.",
    "A grey cat has been found near the library.",
    "公交站牌昨天被风吹倒了。",
    "The form was handed in complete and on time.",
)
