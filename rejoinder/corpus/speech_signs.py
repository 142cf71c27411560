"""Signs on the words alone of how a sentence was said: whom it talks to, what it points at, where it broke off.

What belongs here: one pattern per sign, of English. What the signs together tell is weighed in standing_alone.
"""

import regex

# Openers that point back, address someone, or need the speaker.
LEANING = regex.compile(
    r"(?i)^(?:(?:because|also|then|for example|which|in fact|though|although|otherwise|i|i'm|i've|i'd"
    r"|i'll|it|it's|its|"
    r"that|that's|this|these|those|they|they're|they've|them|he|he's|she|she's|his|her|there (?!is\b"
    r"|are\b|was\b|were\b)|you|you're|"
    r"you've|you'll|we'll|let|let's|if you|when you|what|what's|who|how|why|where|or|of|as|than|is|are"
    r"|was|were|"
    r"have|has|had|do|does|did|be|been|can|could|would|will|should|such|(?:some|one|all|most) of (?:these"
    r"|those|that)|"
    r"both|another|not|just|even|maybe|same|here|here's|almost|plus|instead|either|neither|no,|give|take"
    r"|put|use|say|"
    r"love|think|thought|tell|in (?:that|this|which|these|those|other words)|with (?:that|this|some|these"
    r"|those)|"
    r"for (?:one|those|that|this|us)|doing (?:that|this|so)|once (?:we|you|that)|the other|similarly"
    r"|particularly|"
    r"probably|somehow|initially|specifically|certainly|whoever|having|often|we (?:did|do|tried)|after you|"
    r"under(?:neath)? the)\b|\p{L}+n['’]t\b|[^AaIi\P{Latin}]\s)"
)
LOOSE = regex.compile(
    r"(?i)\b(?:i|i['’](?:m|d|ve|ll)|my|me|mine|you know|kind of|sort of|sorry|stuff|or whatever|let['’]s"
    r"|um|uh|oh|yeah"
    r"|laugh|gonna|wanna|whatnot|hopefully|by the way|we['’]ll|(?:this|that) (?:guy|thing|one)|things like that"
    r"|something like|and things|et cetera|(?:in|over|down|up) there|make something up"
    r"|(?:is|was|are|of|it's|that's|be|at|just|,) like|like (?:an?|the|really|how|this|that|yes|one))\b"
    r"|--|\.\.\.|…|[\"“”]|[:;,–—-]$"
)
_PERSONS = (
    r"(?:we|us|our|ours|ourselves|you|your|yours|yourself|he|she|him|her|his|hers|himself|herself"
    r"|y['’]all|folks|guys)"
)
_CLAUSE = r"(?:,|;|because|when|if|while|so|that|which|who|where|until|before|after|unless|and|but|how|than|as|what)"
# Somebody who is not named.
PERSON = regex.compile(rf"(?i)(?<!\p{{L}}){_PERSONS}\b(?:['’]\p{{L}}+)?")
# Something pointed at: these, with that, over there.
POINTED = regex.compile(
    r"(?i)\b(?:this|these|those)\b|\bthat['’]s\b|\b(?:of|for|with|in|on|to|at|about|from|like|by|than|as"
    r"|do|does"
    r"|did|doing|all|and|but|or|not|get|got|see|makes?|after|before|around|into|through|behind|without|enables?"
    r"|allows?|brings?|accelerate|knows? what|below|above|beyond) that\b"
    r"|\bthat (?:that|one|way|point|time|kind|sort|whole|same|particular|direction|case|is|type|process)\b"
    r"|\b(?:here|there(?! (?:is|are|was|were)\b))\b"
)
# It is, that is, run together.
CONTRACTED = regex.compile(r"(?i)\b(?:it|that|they|there|what)['’](?:s|re|ve|d|ll)\b")
# The subject taken up a second time.
TAKEN_UP = regex.compile(
    r"(?i)^(?:(?:the|an?|one|in|to|for) )?[\p{L}'’-]+(?:\s[\p{L}'’-]+){0,8}, "
    r"(?:you|we|they|it|he|she|there|this|that|these|those|one|imagine|is|was)\b"
)
# A sentence begun anew inside another.
BEGUN_ANEW = regex.compile(
    r",\s(?:It|The|We|You|He|She|They|That|This|Hey|Oh|Because|And|So|But|Or|In|If|When|What|A|An|There|My|Our"
    r"|Well|Yeah|Yes|No|How|Why|Let|Just|Like)\b"
)
# Spoken in pieces.
DASHED = regex.compile(r"\s[-–—]+\s|(?:[^,]*,){4}|,\s(?:again|yeah|well|right|okay),")
# Openers that go on from something, address somebody, or are no subject.
OPENER = regex.compile(
    r"(?i)^(?:finally|hint|first(?:ly)?|second(?:ly)?|third(?:ly)?|lastly|last up|today|tonight|tomorrow"
    r"|yesterday"
    r"|now|next|later|really|truly|arguably|pretty|very|until|since|after|before|early on|down the|on down"
    r"|at (?:the|some|that|one)|(?:every|each) time|by the|during|imagine|envision|picture|consider|go to"
    r"|talk|look"
    r"|compared|for people|for example|for instance|when|while|whether|once|unless|like|again|still|meanwhile"
    r"|overall|ultimately|eventually|apparently|unfortunately|fortunately|interestingly|surprisingly|hence|thus"
    r"|however|nevertheless|regardless|besides|moreover|furthermore|additionally|one (?:is|was|of)|one,|two,"
    r"|number (?:one|two|three)|part of|people (?:would|will|could)|someone|somebody|everyone|everybody|nobody"
    r"|anyone|anybody|something|everything|nothing|anything|thank|thanks|welcome|currently|recently|previously"
    r"|literally|clearly|in (?:a|both|your|our|his|her|their|some|certain|terms)|with|without|about|as|if|paste"
    r"|click|type|open|run|start|get|make|makes|keep|call|see|check|try|add|want|need|remember|speaking|sounds"
    r"|seems|turns out|depends|ask|send|unpack|said|says|used|build|write|bring|explore|join|dig|pull|push|grab"
    r"|wait|stop|pick|find|show|hit|hold|leave|set|(?:\p{L}+ )?years? later|(?:\p{L}+ )?minutes? later"
    r"|our friends?"
    r"|\p{L}+ and I)\b"
)
# Something known already.
THE_SAME = regex.compile(
    r"^The (?:\p{L}+ )?(?:thing|things|question|reason|way|idea|point|answer|other|others|same|whole|next"
    r"|flip side"
    r"|problem|fact|story|one|ones|first|second|third|last|latter|former|guy|guys|company|person|post|article"
    r"|paper|example|analogy|joke|moment|day|year|time|result|results|bit|part|insight|discussion)\b"
    r"(?! (?:of|behind|with|for|between) \p{L})"
)
# A pronoun before anything that it could stand for: in the first clause.
PRONOUN = regex.compile(rf"(?i)^(?:(?!\b{_CLAUSE}\b|[,;]).)*?\b(?:it|they|them|their|theirs|its)\b")
# Talk about the talk, and about when it was.
ABOUT_THE_TALK = regex.compile(
    r"(?i)\b(?:today|tonight|tomorrow|yesterday|right now|currently|so far|earlier|last (?:week|month"
    r"|year|time)|"
    r"this (?:week|month|year)|(?:the|this|that|an?) (?:podcast|episode|conversation|talk|interview|show)\b|"
    r"(?:a )?(?:minute|moment|while) ago|mentioned|(?:was|were|been) (?:talking|saying|thinking|going to))\b"
)
# What is about to come.
ANNOUNCED = regex.compile(
    r"(?i)^(?:we|we['’]ll|we['’]re|to) (?:(?:also|then|even|here|going to) )*(?:unpack|discuss|dig|dive"
    r"|look|trace|talk|cover"
    r"|explore|get into|chat|hear|wrap|have \p{Lu}\p{L}+|take you)"
)
SUBORDINATE = regex.compile(
    r"(?i)\b(?:that|which|who|whom|whose|where|when|while|as|if|because|since|after|before|until|than"
    r"|what|how|why"
    r"|whether)\b[^,;]*"
)
VERB = regex.compile(
    r"(?i)(?<!\b(?:the|an?|of|to) )\b(?:(?:is|are|was|were|has|have|had|do|does|did|can|could|would"
    r"|should|must|may|might)"
    r"(?:n['’]t)?|cannot|can['’]t|won['’]t|will|\p{L}{3,}ed|"
    r"(?<=\b(?:\p{L}*[^us\W]s|we|you|they|people|who|men|women|children|data|which|that) )(?:allow|enable"
    r"|give|make|provide|mean|need|use|run|work|let|take|turn|keep|get|help|hold|show|say|come|go|become|"
    r"begin|build|bring|change|cost|create|find|grow|know|lead|lose|move|offer|pay|play|put|read|rel(?:y"
    r"|ie)|see|sell|"
    r"send|set|solve|stand|start|store|support|teach|tell|think|want|win|write|require|depend|contain"
    r"|include|exist|"
    r"handle|live|happen|produce|replace|compile|learn|focuse?|reduce|save|sit|spend|treat|track|reache?|"
    r"cause|carry|carrie|draw|remain|return|serve|share|stay|trust|understand|cut|hit|hurt|fall|feel|fit"
    r"|break)|"
    r"(?:allow|enable|give|make|provide|mean|need|use|run|work|let|take|turn|keep|get|help|hold|say|come"
    r"|become|begin"
    r"|bring|cost|create|find|grow|know|lead|lose|move|offer|pay|put|read|relie|see|sell|send|set|solve"
    r"|stand|start"
    r"|teach|tell|think|want|win|write|require|depend|contain|include|exist|handle|live|happen|produce"
    r"|replace|compile"
    r"|learn|focuse|reduce|save|sit|spend|treat|reache|carrie|remain|serve|stay|trust|understand|hit|fall"
    r"|feel)s|goes|does|"
    r"made|became|came|gave|got|went|took|built|brought|knew|led|lost|paid|ran|saw|sold|sent|stood|taught"
    r"|thought|won|"
    r"wrote|found|grew|held|kept|left|met|said|spent|began|chose|fell|felt|drew|rose)\b|\p{L}+i(?:z|s"
    r"|fi)es\b|ates\b"
    r"|['’](?:re|ve|ll)\b|(?:\bit|\p{Lu}\p{L}+|one)['’]s\b|\p{L}{3,}(?<![siu])s (?=(?:the|an?|it|them|all"
    r"|every|any|how|what|your|its|their|most|many|some|no|more)\b)"
)
# After a participle the forms that could be infinitives tell nothing.
PARTICIPLE = regex.compile(r"\p{Lu}\p{L}+(?:ing|ed)\b")
PLAIN_VERB = regex.compile(
    r"(?i)\b(?:is|are|was|were|has|have|had|does|did|can|could|will|would|should|must|may|might|means?"
    r"|meant|makes?|made"
    r"|gives|gave|allows|lets|helps|takes|took|requires|brings|creates|became|becomes|keeps|turns)\b"
)
NAME = regex.compile(r"(?<=[a-z,] )\p{Lu}\p{L}+")
NAME_DOES = regex.compile(
    r"(?!The\b|There\b|We\b|One\b)(?:\p{Lu}[\p{L}\p{N}]*\s){1,3}(?:is|are|was|has|can|will|allows|provides)\s"
)
LIKE = regex.compile(r"\blike\b")
