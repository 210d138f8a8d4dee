/** The hidden command with which the program starts itself in the background: `t8s __run DIRECTORY`. */

export const RUN_COMMAND = '__run'
