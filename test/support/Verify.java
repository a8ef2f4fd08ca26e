import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Judges certificates as Java's TLS does. Arguments, in threes: server or client, a chain, its trust anchors (PEM). One line for each. */
public class Verify {
  public static void main(String[] args) throws Exception {
    for (int at = 0; at < args.length; at += 3) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      int number = 0;
      for (X509Certificate anchor : read(args[at + 2])) store.setCertificateEntry("anchor" + number++, anchor);
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      X509TrustManager manager = (X509TrustManager) factory.getTrustManagers()[0];
      try {
        if (args[at].equals("server")) manager.checkServerTrusted(read(args[at + 1]), "ECDHE_ECDSA");
        else manager.checkClientTrusted(read(args[at + 1]), "ECDHE_ECDSA");
        System.out.println("OK");
      } catch (Exception error) {
        System.out.println(String.valueOf(error.getMessage()).split("\n")[0]);
      }
    }
  }

  static X509Certificate[] read(String file) throws Exception {
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      return CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new X509Certificate[0]);
    }
  }
}
