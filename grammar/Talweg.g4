/*
 * The grammar of talweg.
 *
 * Line ends. A statement or declaration ends at the end of its line. Between lexer and parser the
 * compiler (compiler/syntax/layout.cpp) puts a SEPARATOR at a line break, unless
 *   - the break stands inside ( ) or [ ],
 *   - the line ends with something that needs more: an operator, `=`, `,`, `then`, `pipeline`, ..., or
 *   - the next line begins with something that can begin neither a statement nor a value: an operator
 *     other than `-`, `|`, `then`, `else`, `in`, `per`, `with`, `=`, `,`, `:`, `{` or a closing bracket.
 * So a line that begins with `-`, `(` or `[` is always a line of its own. A `;` separates what shares a
 * line. Separators never double, never follow `{` and never precede `}`. (The lists below allow nothing
 * between two separators only so that a parser in trouble can go on at the next line.)
 *
 * `if`. An `if` whose condition is followed by `then` gives a value and reaches the parser as IF_THEN; any
 * other is the statement (or belongs to `skip` and `hold`). Brackets always balance: where they do not,
 * the compiler reports it and mends them first. Tokens have byte offsets, not columns.
 *
 * What the grammar lets through and the tree builder refuses, with a better message than a parser could
 * give: chained comparisons, values as statements, blocks without a value, unknown hyper kinds.
 */
grammar Talweg;

tokens { SEPARATOR, IF_THEN }

// ---- Entry points ----

module        : declaration? (SEPARATOR declaration?)* EOF ;
lonePipeline  : pipeline EOF ;
loneExpression: expression EOF ;

// ---- Declarations ----

declaration   : importDecl | fnDecl | ruleDecl | kernelDecl | constDecl ;

importDecl    : IMPORT path (COLON NAME (COMMA NAME)*)? ;
constDecl     : LET NAME ASSIGN expression ;
fnDecl        : FN NAME LPAREN (parameter (COMMA parameter)*)? RPAREN (ASSIGN arm | block) ;
parameter     : NAME (ASSIGN expression)? ;
kernelDecl    : KERNEL NAME ASSIGN pipeline WITH anything ;
anything      : LBRACE (~(LBRACE | RBRACE) | anything)* RBRACE ;

ruleDecl      : RULE NAME (ASSIGN pipeline | ruleBody) ;
ruleBody      : LBRACE ruleItem? (SEPARATOR ruleItem?)* RBRACE ;
ruleItem      : hyperDecl | stateDecl | inputDecl | viewDecl | matrixDecl | requireDecl
              | stepBlock | afterBlock | pipelineDecl | whenArm ;

// `hyper model int every = 4`: the last word is the name, those before it say the kind.
hyperDecl     : HYPER word+ (ASSIGN expression)? (IN (range | choices))? ;
range         : (LBRACKET | LPAREN) expression COMMA expression (RBRACKET | RPAREN) ;
choices       : LBRACE NAME (COMMA NAME)* RBRACE ;

// `state row r`, `state matrix[rows, rows] l = 0`: the last word is the name, one before it the rate.
stateDecl     : STATE (word shape word | word word | word) (ASSIGN expression)? ;
shape         : LBRACKET expression (COMMA expression)* RBRACKET ;
inputDecl     : INPUT word word? ;
viewDecl      : VIEW NAME ASSIGN expression ;
matrixDecl    : MATRIX LPAREN (NAME | NUMBER | PIPE | COMMA)+ RPAREN ;
requireDecl   : REQUIRE expression ;
stepBlock     : STEP block ;
afterBlock    : AFTER block ;

pipelineDecl  : PIPELINE pipeline ;
whenArm       : (WHEN expression | OTHERWISE) COLON pipeline ;
pipeline      : stage (PIPE stage)* ;
stage         : (NAME ASSIGN)? path arguments? ;

// ---- Statements; the last item of a block that gives a value is an expression ----

block         : LBRACE item? (SEPARATOR item?)* RBRACE ;
item          : (LET | VAR) NAME ASSIGN expression                               # letItem
              | IF expression block (ELSE (elseIf | block))?                     # ifItem
              | FOR NAME IN expression (DOTDOT expression)? block                # forItem
              | (SKIP_STEP | HOLD) IF expression                                 # stopItem
              | REGRAD                                                           # regradItem
              | expression ((ASSIGN | PLUS_ASSIGN | MINUS_ASSIGN | STAR_ASSIGN | SLASH_ASSIGN)
                            expression)?                                         # valueItem
              ;
elseIf        : IF expression block (ELSE (elseIf | block))? ;

// ---- Expressions, the tightest first ----

expression    : expression PER word
              | <assoc=right> expression CARET expression
              | MINUS expression
              | expression (STAR | SLASH | PERCENT | AT) expression
              | expression (PLUS | MINUS) expression
              | expression (EQ | NE | LT | LE | GT | GE) expression
              | NOT expression
              | expression AND expression
              | expression OR expression
              | IF_THEN expression THEN arm ELSE arm
              | primary
              ;
primary       : NUMBER | TRUE | FALSE | TEXT
              | path arguments?
              | LPAREN expression RPAREN
              | LBRACKET (expression (COMMA expression)*)? RBRACKET
              ;
arm           : block | expression ;
arguments     : LPAREN (argument (COMMA argument)*)? RPAREN ;
argument      : (NAME ASSIGN)? expression ;
path          : NAME (DOT word)* ;

// `matrix` is a rate as well as the word that declares a split.
word          : NAME | MATRIX ;

// ---- Tokens ----

RULE : 'rule' ;  FN : 'fn' ;  LET : 'let' ;  VAR : 'var' ;  HYPER : 'hyper' ;  STATE : 'state' ;
INPUT : 'input' ;  VIEW : 'view' ;  STEP : 'step' ;  AFTER : 'after' ;  PIPELINE : 'pipeline' ;
WHEN : 'when' ;  OTHERWISE : 'otherwise' ;  REQUIRE : 'require' ;  IMPORT : 'import' ;
KERNEL : 'kernel' ;  WITH : 'with' ;  MATRIX : 'matrix' ;
IF : 'if' ;  THEN : 'then' ;  ELSE : 'else' ;  FOR : 'for' ;  IN : 'in' ;  PER : 'per' ;
AND : 'and' ;  OR : 'or' ;  NOT : 'not' ;  TRUE : 'true' ;  FALSE : 'false' ;
SKIP_STEP : 'skip' ;  HOLD : 'hold' ;  REGRAD : 'regrad' ;

LPAREN : '(' ;  RPAREN : ')' ;  LBRACKET : '[' ;  RBRACKET : ']' ;  LBRACE : '{' ;  RBRACE : '}' ;
COMMA : ',' ;  COLON : ':' ;  SEMICOLON : ';' ;  DOT : '.' ;  DOTDOT : '..' ;  PIPE : '|' ;
ASSIGN : '=' ;  PLUS_ASSIGN : '+=' ;  MINUS_ASSIGN : '-=' ;  STAR_ASSIGN : '*=' ;  SLASH_ASSIGN : '/=' ;
PLUS : '+' ;  MINUS : '-' ;  STAR : '*' ;  SLASH : '/' ;  PERCENT : '%' ;  CARET : '^' ;  AT : '@' ;
EQ : '==' ;  NE : '!=' ;  LT : '<' ;  LE : '<=' ;  GT : '>' ;  GE : '>=' ;

NAME : LETTER (LETTER | MARK | DIGIT)* ;
NUMBER : DIGITS ('.' DIGITS)? ([eE] [+-]? DIGITS)? ;
TEXT : '"' ~["\r\n]* '"' ;

DOC : '///' ~[\r\n]* ;
COMMENT : '//' ~[\r\n]* -> skip ;
SPACE : [ \t\r\n\u000C\u00A0]+ -> skip ;

// Read whole so that one mistake gives one message. None of these reaches the parser.
BAD_NUMBER : DIGITS ('.' DIGITS)? LETTER (LETTER | MARK | DIGIT)* ;
BAD_TEXT : '"' ~["\r\n]* ;
BAD_COMMENT : '#' ~[\r\n]* | '/*' .*? ('*/' | EOF) ;
FOREIGN : '&&' | '||' | '!' | '**' | ':=' | '===' | '!==' | '<>' | '~='
        | '\u2212' | '\u00D7' | '\u00B7' | '\u22C5' | '\u00F7' | '\u2264' | '\u2265' | '\u2260' ;
UNKNOWN : . ;

fragment LETTER : [\p{L}_] ;
fragment MARK : [\p{Mn}\u2080-\u2089] ;
fragment DIGIT : [0-9] ;
fragment DIGITS : DIGIT ('_'? DIGIT)* ;
