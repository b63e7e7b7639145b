// Native methods of Shapes.java, built without unwind tables and using the frame pointer as any register: for
// the test of how such code is passed. Without jni.h, for which a JDK would have to be found: two entries of
// its table will do.
typedef long jlong;
typedef void* JNIEnv;

enum { kGetStaticMethodId = 113, kCallStaticLongMethod = 132 };  // of struct JNINativeInterface_

jlong Java_Shapes_blind(JNIEnv* environment, void* type, jlong x) {
  (void)environment;
  (void)type;
  for (int i = 0; i < 200000; i++) __asm__ volatile("imul $31, %0\n\tlea 1(%0), %%rbp" : "+r"(x) : : "rbp");
  return x;
}

jlong Java_Shapes_blindCall(JNIEnv* environment, void* type, jlong x) {
  void** table = *environment;
  void* (*id_of)(JNIEnv*, void*, const char*, const char*) = table[kGetStaticMethodId];
  jlong (*call)(JNIEnv*, void*, void*, ...) = table[kCallStaticLongMethod];
  void* method = id_of(environment, type, "calledBack", "(J)J");
  __asm__ volatile("mov $1, %%ebp" : : : "rbp");
  return call(environment, type, method, x) + 1;  // no tail call: the frame has to be there
}
